"""Spans of sampled calls, sent to an OpenTelemetry collector."""

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    set_span_in_context,
)

from libs.telemetry.traces import Spans, Trace


def spans_to(endpoint: str, service: str) -> Spans:
    """Send spans as OTLP over gRPC to `endpoint`, such as "http://collector:4317".

    They leave in batches from a thread; what cannot be sent is dropped.
    """
    provider = TracerProvider(
        # Whether a call is sampled was decided before it gets here.
        sampler=ALWAYS_ON,
        resource=Resource.create({"service.name": service}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https:"))
        )
    )
    tracer = provider.get_tracer("reprise")

    def start(method: str, parent: Trace | None) -> Span:
        above = None
        if parent is not None:
            ids = SpanContext(
                int(parent.trace_id, 16),
                int(parent.span_id, 16),
                is_remote=True,
                trace_flags=TraceFlags(TraceFlags.SAMPLED),
            )
            above = set_span_in_context(NonRecordingSpan(ids))
        return tracer.start_span(
            method.removeprefix("/"),
            context=above,
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc"},
        )

    return Spans(start, provider.shutdown)
