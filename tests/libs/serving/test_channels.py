"""What a channel does while its peer goes and comes back."""

import asyncio
import contextlib
import time
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from libs.faults import Overloaded, PartUnavailable
from libs.serving.application import Application, Mounted, Readiness
from libs.serving.channels import call, open_channel
from libs.serving.identity import as_everybody
from libs.serving.limits import Limits
from libs.serving.server import running
from libs.telemetry.metrics import ServiceMetrics
from libs.telemetry.traces import Trace, Tracing, current_trace
from tests.free_ports import free_port

NAME = "reprise.tests.EchoService"


class Flaky:
    """Is not available for the first calls."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0
        self.peers: set[str] = set()
        self.traces: list[Trace | None] = []

    async def say(self, request: Timestamp, context: Any) -> Timestamp:
        self.asked += 1
        self.peers.add(context.peer())
        self.traces.append(current_trace())
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
    flaky, metrics = Flaky(failures=2), ServiceMetrics()
    async with (
        running(flaky.build, metrics=metrics) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        assert (await call("echo", say(channel), Timestamp(seconds=5), timeout_s=5)).seconds == 5
    assert flaky.asked == 3
    labels = {"method": f"/{NAME}/Say"}
    assert metrics.registry.get_sample_value("reprise_rpc_repeated_total", labels) == 2


async def test_a_peer_that_never_answers_is_not_asked_without_end() -> None:
    flaky = Flaky(failures=10**6)
    async with (
        running(flaky.build) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        calls = [call("echo", say(channel), Timestamp(), timeout_s=20) for _ in range(200)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert not any(isinstance(one, Timestamp) for one in outcomes)
    assert flaky.asked < 300, "retries are throttled while all calls fail"


async def test_a_peer_that_went_and_came_back_is_found_within_seconds() -> None:
    port = free_port()
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


async def test_a_call_that_may_wait_outlives_a_peer_that_restarts() -> None:
    port = free_port()
    async with open_channel(f"127.0.0.1:{port}") as channel:
        async with running(Flaky(0).build, port=port):
            await call("echo", say(channel), Timestamp(), timeout_s=5)
        waiting = asyncio.ensure_future(
            call("echo", say(channel), Timestamp(seconds=3), timeout_s=20, waits=True)
        )
        with pytest.raises(PartUnavailable):
            await call("echo", say(channel), Timestamp(), timeout_s=20)
        assert not waiting.done()
        async with running(Flaky(0).build, port=port):
            assert (await waiting).seconds == 3


async def test_a_call_carries_the_trace_that_it_is_made_for() -> None:
    flaky = Flaky(0)
    async with (
        running(flaky.build) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        Tracing(1).begin("/reprise.tests.EchoService/Relay", None)
        ours = current_trace()
        await call("echo", say(channel), Timestamp(), timeout_s=5)
    [theirs] = flaky.traces
    assert ours is not None
    assert theirs is not None
    assert (theirs.trace_id, theirs.is_sampled) == (ours.trace_id, True)
    assert theirs.span_id != ours.span_id


class Busy(Flaky):
    """Holds the event loop for 2 ms a call."""

    async def say(self, request: Timestamp, context: Any) -> Timestamp:
        self.asked += 1
        end = time.perf_counter() + 0.002
        while time.perf_counter() < end:
            pass
        return request


async def test_a_full_server_is_told_as_overloaded_and_nothing_else() -> None:
    busy = Busy(0)
    async with contextlib.AsyncExitStack() as held:
        server = await held.enter_async_context(
            running(busy.build, limits=Limits(most_pending=2, most_pending_hard=4))
        )
        channel = await held.enter_async_context(open_channel(f"127.0.0.1:{server.port}"))
        calls = [call("echo", say(channel), Timestamp(), timeout_s=20) for _ in range(200)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    answered = [one for one in outcomes if isinstance(one, Timestamp)]
    refused = [one for one in outcomes if isinstance(one, Overloaded)]
    assert len(answered) + len(refused) == 200
    assert len(answered) == busy.asked, "what is refused costs the event loop nothing"
    assert len(refused) > 50


async def test_calls_over_several_connections_take_turns() -> None:
    flaky = Flaky(0)
    async with (
        running(flaky.build) as server,
        open_channel(f"127.0.0.1:{server.port}", connections=4) as channel,
    ):
        method = say(channel)
        calls = [call("echo", method, Timestamp(seconds=at), timeout_s=5) for at in range(8)]
        assert [one.seconds for one in await asyncio.gather(*calls)] == list(range(8))
    assert len(flaky.peers) == 4
