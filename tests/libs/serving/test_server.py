"""The harness under a small service of its own, in this process and in real ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
import grpc.aio
import pytest
import structlog
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import (  # type: ignore[import-untyped]  # published without stubs
    error_details_pb2,
    status_pb2,
)
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from libs.faults import (
    DeadlineSpent,
    InvalidField,
    NotFound,
    Overloaded,
    PartUnavailable,
    StartFault,
)
from libs.serving.application import Application, Mounted, Readiness
from libs.serving.channels import call, open_channel
from libs.serving.identity import as_everybody
from libs.serving.limits import Limits
from libs.serving.server import Running, running
from libs.telemetry.metrics import ServiceMetrics
from tests.free_ports import free_port

NAME = "reprise.tests.EchoService"


class Echo:
    """Answers by the request's seconds: a fault, a defect, silence or the request itself."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.poured = 0
        self.ended = asyncio.Event()

    async def say(self, request: Timestamp, context: Any) -> Timestamp:
        match request.seconds:
            case 1:
                raise InvalidField("events[3].rating", "must not be NaN")
            case 2:
                raise Overloaded("calls in flight", retry_after_ms=1500)
            case 3:
                raise ZeroDivisionError("a defect")
            case 4:
                self.entered.set()
                await self.release.wait()
        return request

    async def tell(self, request: Timestamp, context: Any) -> AsyncIterator[Timestamp]:
        for nanos in range(request.nanos):
            yield Timestamp(nanos=nanos)
        if request.seconds == 1:
            raise NotFound("title", "t9")

    async def listen(self, requests: AsyncIterator[Timestamp], context: Any) -> Timestamp:
        return Timestamp(seconds=sum([request.seconds async for request in requests]))

    async def pour(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        try:
            for _ in range(1_000):
                self.poured += 1
                yield bytes(1_000_000)
        finally:
            self.ended.set()

    def mount(self, server: grpc.aio.Server) -> None:
        read, write = Timestamp.FromString, Timestamp.SerializeToString
        server.add_registered_method_handlers(
            NAME,
            {
                "Say": grpc.unary_unary_rpc_method_handler(self.say, read, write),
                "Tell": grpc.unary_stream_rpc_method_handler(self.tell, read, write),
                "Pour": grpc.unary_stream_rpc_method_handler(self.pour),
                "Listen": grpc.stream_unary_rpc_method_handler(self.listen, read, write),
            },
        )


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(echo: Echo) -> AsyncIterator[Running]:
    async def build(readiness: Readiness) -> Application:
        await readiness.set(NAME, True)
        return Application((Mounted(NAME, echo.mount),), authorize=as_everybody)

    async with running(build, limits=Limits(default_deadline_ms=50)) as started:
        yield started


@pytest.fixture
async def channel(server: Running) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(f"127.0.0.1:{server.port}") as opened:
        yield opened


def method(channel: grpc.aio.Channel, kind: str, name: str) -> Any:
    return getattr(channel, kind)(
        f"/{NAME}/{name}", Timestamp.SerializeToString, Timestamp.FromString
    )


def raw(channel: grpc.aio.Channel, kind: str, name: str) -> Any:
    """The method in bytes."""
    return getattr(channel, kind)(f"/{NAME}/{name}")


async def failure(answer: Any) -> tuple[grpc.aio.AioRpcError, dict[str, Any]]:
    """The error of a call, and the details of its status by their types' names."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer
    packed = dict(caught.value.trailing_metadata() or ())["grpc-status-details-bin"]
    found: dict[str, Any] = {}
    for detail in status_pb2.Status.FromString(packed).details:
        kind = detail.type_url.rpartition(".")[2]
        assert kind not in found, "each detail comes once"
        found[kind] = getattr(error_details_pb2, kind)()
        detail.Unpack(found[kind])
    assert found["ErrorInfo"].domain == "reprise"
    return caught.value, found


async def test_a_call_is_answered(channel: grpc.aio.Channel) -> None:
    assert await method(channel, "unary_unary", "Say")(Timestamp(seconds=9)) == Timestamp(seconds=9)


async def test_a_fault_becomes_its_status_with_one_error_info(channel: grpc.aio.Channel) -> None:
    error, details = await failure(method(channel, "unary_unary", "Say")(Timestamp(seconds=1)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "events[3].rating: must not be NaN"
    assert details["ErrorInfo"].reason == "ERROR_REASON_INVALID_FIELD"
    assert details["ErrorInfo"].metadata["field"] == "events[3].rating"
    assert details["BadRequest"].field_violations[0].field == "events[3].rating"


async def test_an_overloaded_answer_says_when_to_come_back(channel: grpc.aio.Channel) -> None:
    error, details = await failure(method(channel, "unary_unary", "Say")(Timestamp(seconds=2)))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details["RetryInfo"].retry_delay.ToMilliseconds() == 1500


async def test_a_defect_is_internal_and_logged_once_with_its_trace(
    channel: grpc.aio.Channel,
) -> None:
    with structlog.testing.capture_logs() as lines:
        error, details = await failure(method(channel, "unary_unary", "Say")(Timestamp(seconds=3)))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert details["ErrorInfo"].reason == "ERROR_REASON_INTERNAL"
    assert "a defect" not in str(error.details()), "what broke inside is not the caller's"
    [line] = lines
    assert line["trace_id"] == details["ErrorInfo"].metadata["trace_id"]
    assert isinstance(line["exc_info"], ZeroDivisionError)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("unary_unary", "Say"), ("unary_stream", "Tell"), ("stream_unary", "Listen")],
)
async def test_malformed_bytes_are_an_invalid_argument(
    channel: grpc.aio.Channel, kind: str, name: str
) -> None:
    ask = raw(channel, kind, name)
    garbage = b"\xff\xff\xff"
    made = ask(iter([garbage])) if kind == "stream_unary" else ask(garbage)
    answer = made.read() if kind == "unary_stream" else made
    error, details = await failure(answer)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details["ErrorInfo"].reason == "ERROR_REASON_MALFORMED_MESSAGE"
    assert details["ErrorInfo"].metadata["method"] == f"/{NAME}/{name}"


async def test_a_stream_ends_with_its_fault_after_what_was_sent(channel: grpc.aio.Channel) -> None:
    stream = method(channel, "unary_stream", "Tell")(Timestamp(seconds=1, nanos=2))
    assert [(await stream.read()).nanos, (await stream.read()).nanos] == [0, 1]
    error, details = await failure(stream.read())
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert details["ErrorInfo"].metadata["id"] == "t9"


async def test_a_stream_of_requests_is_heard_to_its_end(channel: grpc.aio.Channel) -> None:
    requests = iter([Timestamp(seconds=2), Timestamp(seconds=3)])
    assert (await method(channel, "stream_unary", "Listen")(requests)).seconds == 5


async def test_a_call_without_deadline_gets_the_services(channel: grpc.aio.Channel) -> None:
    error, details = await failure(method(channel, "unary_unary", "Say")(Timestamp(seconds=4)))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert details["ErrorInfo"].reason == "ERROR_REASON_DEADLINE"


def bounded(echo: Echo, limits: Limits) -> AbstractAsyncContextManager[Running]:
    async def build(readiness: Readiness) -> Application:
        return Application((Mounted(NAME, echo.mount),), authorize=as_everybody)

    return running(build, limits=limits)


async def test_one_call_more_than_may_be_in_flight_is_refused(echo: Echo) -> None:
    async with (
        bounded(echo, Limits(most_in_flight=1)) as server,
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
        bounded(echo, Limits(most_streams=1)) as server,
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
        bounded(echo, Limits(send_ms=300)) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        never_read = raw(channel, "unary_stream", "Pour")(b"")
        await asyncio.wait_for(echo.ended.wait(), 20)
        assert echo.poured < 50, "no more of 1,000 was made than the windows hold"
        never_read.cancel()


async def test_a_request_that_is_too_large_is_refused_and_said_to_be(
    channel: grpc.aio.Channel,
) -> None:
    large = raw(channel, "unary_unary", "Say")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await large(bytes(5_000_000), timeout=5)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(InvalidField, match="larger than max"):
        await call("echo", large, bytes(5_000_000), timeout_s=5)


async def test_an_error_names_the_trace_of_its_caller(channel: grpc.aio.Channel) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    carried = (("traceparent", f"00-{trace_id}-00f067aa0ba902b7-01"),)
    say = method(channel, "unary_unary", "Say")
    _, details = await failure(say(Timestamp(seconds=1), metadata=carried))
    assert details["ErrorInfo"].metadata["trace_id"] == trace_id
    _, details = await failure(say(Timestamp(seconds=1)))
    assert len(details["ErrorInfo"].metadata["trace_id"]) == 32


async def test_a_client_is_told_faults_as_they_were(channel: grpc.aio.Channel) -> None:
    say = method(channel, "unary_unary", "Say")
    with pytest.raises(InvalidField) as invalid:
        await call("echo", say, Timestamp(seconds=1), timeout_s=5)
    assert invalid.value.field == "events[3].rating"
    with pytest.raises(Overloaded) as overloaded:
        await call("echo", say, Timestamp(seconds=2), timeout_s=5)
    assert overloaded.value.retry_after_ms == 1500
    with pytest.raises(PartUnavailable, match="INTERNAL"):
        await call("echo", say, Timestamp(seconds=3), timeout_s=5)
    with pytest.raises(DeadlineSpent, match="echo"):
        await call("echo", say, Timestamp(seconds=4), timeout_s=0.02)


async def test_a_peer_that_is_not_there_is_unavailable() -> None:
    async with open_channel(f"127.0.0.1:{free_port()}") as channel:
        with pytest.raises(PartUnavailable, match="echo"):
            await call(
                "echo", method(channel, "unary_unary", "Say"), Timestamp(seconds=9), timeout_s=5
            )


async def test_whoever_listens_hears_which_services_are_ready(echo: Echo) -> None:
    said: list[tuple[str, bool]] = []

    async def build(readiness: Readiness) -> Application:
        await readiness.set(NAME, True)
        return Application(
            (Mounted(NAME, echo.mount), Mounted("reprise.tests.Other", echo.mount)),
            authorize=as_everybody,
        )

    async with running(build, tell=lambda *state: said.append(state)) as server:
        assert server.readiness.is_ready(NAME)
        assert said == [(NAME, True), ("reprise.tests.Other", False)]
    assert said[2:] == [(NAME, False)], "the end of a server is told, and told once"


async def listed(channel: grpc.aio.Channel) -> set[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = [answer async for answer in stub.ServerReflectionInfo(iter([asked]))]
    return {service.name for service in answers[0].list_services_response.service}


async def test_reflection_lists_the_services(channel: grpc.aio.Channel) -> None:
    assert await listed(channel) == {NAME, "grpc.reflection.v1alpha.ServerReflection"}


async def test_calls_are_counted_by_method_and_code(echo: Echo) -> None:
    metrics = ServiceMetrics()

    async def build(readiness: Readiness) -> Application:
        return Application((Mounted(NAME, echo.mount),), authorize=as_everybody)

    async with (
        running(build, metrics=metrics) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        say = method(channel, "unary_unary", "Say")
        await say(Timestamp(seconds=9))
        await failure(say(Timestamp(seconds=1)))
    for code in ("OK", "INVALID_ARGUMENT"):
        labels = {"method": f"/{NAME}/Say", "code": code}
        assert metrics.registry.get_sample_value("reprise_rpc_handled_total", labels) == 1


async def test_a_taken_port_is_a_start_fault_before_anything_is_built(server: Running) -> None:
    async def build(readiness: Readiness) -> Application:
        pytest.fail("nothing is to be opened")

    with pytest.raises(StartFault, match=str(server.port)):
        async with running(build, port=server.port):
            pass


async def test_a_background_task_that_fails_ends_the_process() -> None:
    async def fail() -> None:
        raise ZeroDivisionError("a defect")

    async def build(readiness: Readiness) -> Application:
        return Application((), background=(fail,), authorize=as_everybody)

    with structlog.testing.capture_logs() as lines:
        async with running(build) as server:
            await asyncio.wait_for(server.over.wait(), 5)
    assert server.has_failed
    assert [line["event"] for line in lines] == ["background task failed"]


async def test_the_end_drains_then_cancels_then_closes() -> None:
    order: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            order.append("background ended")

    async def drain() -> None:
        order.append("drained")

    async def close() -> None:
        order.append("closed")

    async def build(readiness: Readiness) -> Application:
        return Application((), background=(work,), drain=drain, close=close, authorize=as_everybody)

    async with running(build, drain_ms=1000):
        await asyncio.sleep(0)
    assert order == ["drained", "background ended", "closed"]
