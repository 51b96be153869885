"""The harness under a small service of its own, in this process and in real ones."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
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
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from libs.faults import (
    DeadlineSpent,
    InvalidField,
    NotFound,
    Overloaded,
    PartUnavailable,
    StartFault,
)
from libs.serving.channels import call, open_channel
from libs.serving.identity import as_everybody
from libs.serving.server import Application, Mounted, Readiness, Running, running
from libs.telemetry.metrics import ServiceMetrics

NAME = "reprise.tests.EchoService"
STATUS = health_pb2.HealthCheckResponse.ServingStatus


class Echo:
    """Answers by the request's seconds: a fault, a defect, silence or the request itself."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

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

    def mount(self, server: grpc.aio.Server) -> None:
        read, write = Timestamp.FromString, Timestamp.SerializeToString
        server.add_registered_method_handlers(
            NAME,
            {
                "Say": grpc.unary_unary_rpc_method_handler(self.say, read, write),
                "Tell": grpc.unary_stream_rpc_method_handler(self.tell, read, write),
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

    async with running(build, default_deadline_ms=50) as started:
        yield started


@pytest.fixture
async def channel(server: Running) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(f"127.0.0.1:{server.port}") as opened:
        yield opened


def method(channel: grpc.aio.Channel, kind: str, name: str) -> Any:
    return getattr(channel, kind)(
        f"/{NAME}/{name}", Timestamp.SerializeToString, Timestamp.FromString
    )


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
    raw = getattr(channel, kind)(f"/{NAME}/{name}")
    garbage = b"\xff\xff\xff"
    made = raw(iter([garbage])) if kind == "stream_unary" else raw(garbage)
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


async def test_health_is_of_the_process_and_of_each_service(channel: grpc.aio.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", NAME):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == STATUS.SERVING


async def test_a_service_that_never_said_so_is_not_ready(echo: Echo) -> None:
    async def build(readiness: Readiness) -> Application:
        return Application((Mounted(NAME, echo.mount),), authorize=as_everybody)

    async with running(build) as server, open_channel(f"127.0.0.1:{server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=NAME))
        assert answer.status == STATUS.NOT_SERVING


async def test_reflection_lists_the_services(channel: grpc.aio.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = [answer async for answer in stub.ServerReflectionInfo(iter([asked]))]
    listed = {service.name for service in answers[0].list_services_response.service}
    assert {NAME, "grpc.health.v1.Health"} <= listed


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
        return Application((), authorize=as_everybody, background=(fail,))

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
        return Application((), authorize=as_everybody, background=(work,), drain=drain, close=close)

    async with running(build, drain_ms=1000):
        await asyncio.sleep(0)
    assert order == ["drained", "background ended", "closed"]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


SCRIPT = """
import sys
from google.protobuf.timestamp_pb2 import Timestamp
import asyncio, grpc
from libs.serving.identity import as_everybody
from libs.serving.server import Application, Mounted, serve

async def say(request, context):
    if request.seconds == 8:
        return request
    sys.stdout.write("entered\\n"); sys.stdout.flush()
    # In flight until the drain has begun: the test sees the signal taken, then lets go.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    return request

def mount(server):
    server.add_registered_method_handlers("reprise.tests.EchoService", {
        "Say": grpc.unary_unary_rpc_method_handler(
            say, Timestamp.FromString, Timestamp.SerializeToString)})

async def build(readiness):
    await readiness.set("reprise.tests.EchoService", True)
    return Application(
        (Mounted("reprise.tests.EchoService", mount),), authorize=as_everybody)

sys.exit(serve(build, name="echo", host="127.0.0.1", port=int(sys.argv[1]), drain_ms=20000))
"""


async def start(port: int) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    root = Path(__file__).parents[3]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, str(port), stdin=pipe, stdout=pipe, stderr=pipe, cwd=root
    )


async def call_until_refused(say: Any) -> None:
    while True:  # the port closes a moment after the process says so
        with contextlib.suppress(Overloaded):  # a call that the closing overtook
            await call("echo", say, Timestamp(seconds=8), timeout_s=5)


async def line_with(process: asyncio.subprocess.Process, word: str) -> None:
    assert process.stdout is not None
    while word not in (line := (await process.stdout.readline()).decode()):
        assert line, f"ended before it said {word!r}"


@pytest.mark.end_to_end
async def test_sigterm_finishes_what_is_under_way_and_refuses_what_is_new() -> None:
    port = free_port()
    process = await start(port)
    await line_with(process, "listening")
    async with open_channel(f"127.0.0.1:{port}") as channel:
        say = method(channel, "unary_unary", "Say")
        under_way = asyncio.ensure_future(say(Timestamp(seconds=7), timeout=30))
        await line_with(process, "entered")
        process.send_signal(signal.SIGTERM)
        await line_with(process, "draining")
        async with open_channel(f"127.0.0.1:{port}") as late:
            new = method(late, "unary_unary", "Say")
            with pytest.raises(PartUnavailable):
                await call_until_refused(new)
        assert process.stdin is not None
        process.stdin.write(b"go on\n")
        assert (await under_way).seconds == 7
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.end_to_end
async def test_a_taken_port_is_one_line_and_exit_code_1(server: Running) -> None:
    process = await start(server.port)
    _, errors = await process.communicate()
    assert process.returncode == 1
    [line] = errors.decode().splitlines()
    assert line.startswith("echo: ")
    assert str(server.port) in line
