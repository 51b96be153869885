"""What a channel does while its peer goes and comes back."""

import socket
import time
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from libs.faults import PartUnavailable
from libs.serving.channels import call, open_channel
from libs.serving.identity import as_everybody
from libs.serving.server import Application, Mounted, Readiness, running

NAME = "reprise.tests.EchoService"


class Flaky:
    """Is not available for the first calls."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0

    async def say(self, request: Timestamp, context: Any) -> Timestamp:
        self.asked += 1
        if self.asked <= self.failures:
            raise PartUnavailable("index", "not yet")
        return request

    async def build(self, readiness: Readiness) -> Application:
        handler = grpc.unary_unary_rpc_method_handler(
            self.say, Timestamp.FromString, Timestamp.SerializeToString
        )

        def mount(server: grpc.aio.Server) -> None:
            server.add_registered_method_handlers(NAME, {"Say": handler})

        return Application((Mounted(NAME, mount),), authorize=as_everybody)


def say(channel: grpc.aio.Channel) -> Any:
    return channel.unary_unary(f"/{NAME}/Say", Timestamp.SerializeToString, Timestamp.FromString)


async def test_a_call_that_fails_twice_is_answered_at_the_third_try() -> None:
    flaky = Flaky(failures=2)
    async with (
        running(flaky.build) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        assert (await call("echo", say(channel), Timestamp(seconds=5), timeout_s=5)).seconds == 5
    assert flaky.asked == 3


async def test_a_peer_that_never_answers_is_not_asked_without_end() -> None:
    flaky = Flaky(failures=10**6)
    async with (
        running(flaky.build) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        for _ in range(40):
            with pytest.raises(PartUnavailable, match="not yet"):
                await call("echo", say(channel), Timestamp(), timeout_s=5)
    assert flaky.asked < 60, "retries are throttled while all calls fail"


async def test_a_peer_that_went_and_came_back_is_found_within_seconds() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with open_channel(f"127.0.0.1:{port}") as channel:
        async with running(Flaky(0).build, port=port):
            await call("echo", say(channel), Timestamp(), timeout_s=5)
        with pytest.raises(PartUnavailable):
            await call("echo", say(channel), Timestamp(), timeout_s=5)
        async with running(Flaky(0).build, port=port):
            begin = time.monotonic()
            # Waits for the connection: what is measured is how soon it is tried again.
            await say(channel)(Timestamp(), timeout=10, wait_for_ready=True)
            assert time.monotonic() - begin < 2.5
