"""What a server under the harness takes at once, and what it refuses."""

import asyncio

import grpc
import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp

from libs.serving.channels import open_channel
from libs.serving.limits import Limits
from tests.libs.serving.made_echo import Echo, failure, listed, method, raw, served


async def test_one_call_more_than_may_be_in_flight_is_refused(echo: Echo) -> None:
    async with (
        served(echo, Limits(most_in_flight=1)) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        say = method(channel, "unary_unary", "Say")
        first = asyncio.ensure_future(say(Timestamp(seconds=4)))
        await echo.entered.wait()
        error, details = await failure(say(Timestamp(seconds=9)))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details["ErrorInfo"].reason == "ERROR_REASON_OVERLOADED"
        assert details["ErrorInfo"].metadata["limit"] == "calls in flight"
        assert details["RetryInfo"].retry_delay.ToMilliseconds() > 0
        assert len(await listed(channel)) == 2, "reflection is no load"
        echo.release.set()
        await first
        assert (await say(Timestamp(seconds=9))).seconds == 9, "a refused call counts for nothing"


async def test_one_stream_more_than_may_be_open_is_refused(echo: Echo) -> None:
    async with (
        served(echo, Limits(most_streams=1)) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        pour = raw(channel, "unary_stream", "Pour")
        open_one = pour(b"")
        await open_one.read()
        error, details = await failure(pour(b"").read())
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details["ErrorInfo"].metadata["limit"] == "open streams"
        assert await method(channel, "unary_unary", "Say")(Timestamp(seconds=9))
        open_one.cancel()
        await echo.ended.wait()


async def test_a_client_that_never_reads_holds_little_and_not_for_long(echo: Echo) -> None:
    async with (
        served(echo, Limits(send_ms=300)) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        never_read = raw(channel, "unary_stream", "Pour")(b"")
        await asyncio.wait_for(echo.ended.wait(), 20)
        assert echo.poured < 50, "no more of 1,000 was made than the windows hold"
        never_read.cancel()
