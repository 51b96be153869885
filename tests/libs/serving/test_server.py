"""The harness under a small service of its own, in this process."""

import asyncio

import grpc
import grpc.aio
import pytest
import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from libs.faults import DeadlineSpent, InvalidField, Overloaded, PartUnavailable, StartFault
from libs.serving.application import Application, Mounted, Readiness
from libs.serving.channels import call, open_channel
from libs.serving.identity import as_everybody
from libs.serving.server import Running, running
from libs.telemetry.metrics import ServiceMetrics
from tests.free_ports import free_port
from tests.libs.serving.made_echo import NAME, Echo, failure, listed, method, raw


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
