"""Where a call stands in its trace, and what is sent of it."""

import contextvars
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from libs.telemetry.spans import spans_to
from libs.telemetry.traces import Spans, Trace, Tracing, current_trace, parse

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE_ID}-{SPAN_ID}-01"


def begun(header: str | None, ratio: float = 0.0, spans: Spans | None = None) -> Trace:
    """The trace of one call."""

    def begin() -> Trace:
        span = Tracing(ratio, spans).begin("/reprise.tests.EchoService/Say", header)
        if span is not None:
            span.end()
        trace = current_trace()
        assert trace is not None
        return trace

    return contextvars.copy_context().run(begin)


@pytest.mark.parametrize(
    ("header", "is_sampled"),
    [
        (SAMPLED, True),
        (f"00-{TRACE_ID}-{SPAN_ID}-00", False),
        (f"00-{TRACE_ID}-{SPAN_ID}-03", True),
        (f"01-{TRACE_ID}-{SPAN_ID}-01-what-comes-later", True),
    ],
)
def test_reads_a_trace_context(header: str, is_sampled: bool) -> None:
    assert parse(header) == Trace(TRACE_ID, SPAN_ID, is_sampled)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        SAMPLED[:-1],
        SAMPLED + "0",
        SAMPLED + "-more",
        SAMPLED.upper(),
        "ff" + SAMPLED[2:],
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00_{TRACE_ID}_{SPAN_ID}_01",
        "\u0660\u0660" + SAMPLED[2:],
    ],
)
def test_takes_nothing_else_for_one(header: str) -> None:
    assert parse(header) is None
    assert begun(header).trace_id != TRACE_ID


def test_a_call_goes_on_with_the_trace_of_its_caller_under_a_new_span() -> None:
    trace = begun(SAMPLED)
    assert trace.trace_id == TRACE_ID
    assert trace.span_id != SPAN_ID
    assert parse(trace.header) == trace


def test_a_call_without_a_trace_begins_one_that_nobody_else_has() -> None:
    traces = [begun(None) for _ in range(100)]
    assert len({trace.trace_id for trace in traces}) == 100
    assert all(parse(trace.header) == trace for trace in traces)


@pytest.mark.parametrize(("ratio", "low", "high"), [(0, 0, 0), (0.1, 60, 145), (1, 1_000, 1_000)])
def test_samples_new_traces_at_the_ratio(ratio: float, low: int, high: int) -> None:
    # 1,000 draws at 0.1 lie outside 60 to 145 once in a hundred thousand runs.
    assert low <= sum(begun(None, ratio).is_sampled for _ in range(1_000)) <= high


def test_follows_the_callers_decision_at_any_ratio() -> None:
    assert begun(SAMPLED, ratio=0).is_sampled
    assert not begun(f"00-{TRACE_ID}-{SPAN_ID}-00", ratio=1).is_sampled


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: Queue[Any] = Queue()

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.requests.put(request)
        return trace_service_pb2.ExportTraceServiceResponse()


def test_spans_of_sampled_calls_reach_a_collector_and_no_others() -> None:
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(  # type: ignore[no-untyped-call]
        collector, server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    spans = spans_to(f"http://127.0.0.1:{port}", "echo")
    child = begun(SAMPLED, spans=spans)
    root = begun(None, ratio=1, spans=spans)
    begun(None, ratio=0, spans=spans)
    spans.close()
    [request] = [collector.requests.get(timeout=10)]
    server.stop(None).wait()
    assert collector.requests.empty()
    [resource] = request.resource_spans
    assert "echo" in {one.value.string_value for one in resource.resource.attributes}
    sent = {span.span_id.hex(): span for scope in resource.scope_spans for span in scope.spans}
    assert set(sent) == {child.span_id, root.span_id}
    assert sent[child.span_id].trace_id.hex() == TRACE_ID
    assert sent[child.span_id].parent_span_id.hex() == SPAN_ID
    assert sent[child.span_id].name == "reprise.tests.EchoService/Say"
    assert sent[root.span_id].trace_id.hex() == root.trace_id
    assert not sent[root.span_id].parent_span_id
