"""Traces across services: W3C trace context by hand, spans by OpenTelemetry for those sampled.

Every call has a trace id, so that a log line or an error leads to its call. A span is made only
of a sampled call and only where there is somebody to send it to: at the default ratio 99 of 100
calls cost one read of the system's random numbers.
"""

import os
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opentelemetry.trace import Span

# https://www.w3.org/TR/trace-context: version, trace id, parent id, flags.
HEADER: Final = "traceparent"
_FORM: Final = re.compile(
    "(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})"
    "-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """Where one call stands in its trace; ids in lower-case hex."""

    trace_id: str
    span_id: str
    is_sampled: bool

    @property
    def header(self) -> str:
        """What a call made on behalf of this one carries."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"


# A task belongs to one call, and those that it starts inherit the call's trace.
_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """The trace of the call that this task works for."""
    return _CURRENT.get()


def parse(header: str) -> Trace | None:
    """The caller's trace; None for anything that is no trace context."""
    found = _FORM.fullmatch(header)
    if found is None or (found["version"] == "00" and found["more"]):
        return None
    return Trace(found["trace"], found["span"], bool(int(found["flags"], 16) & _SAMPLED))


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Somebody who records the spans of sampled calls."""

    start: Callable[[str, Trace | None], "Span"]
    close: Callable[[], None]


class Tracing:
    """Begins the trace of every call: the caller's, or a new one, sampled at `ratio` (0 to 1)."""

    __slots__ = ("_below", "_spans")

    def __init__(self, ratio: float, spans: Spans | None = None) -> None:
        self._below = int(ratio * 2**64)
        self._spans = spans

    def begin(self, method: str, header: str | None) -> "Span | None":
        """Make the call's trace the current one; the span to end with the call, if it has one.

        A caller's decision whether to sample is followed.
        """
        drawn = os.urandom(24).hex()
        parent = None if header is None else parse(header)
        if parent is None:
            trace = Trace(drawn[:32], drawn[32:], int(drawn[16:32], 16) < self._below)
        else:
            trace = Trace(parent.trace_id, drawn[32:], parent.is_sampled)
        span = None
        if trace.is_sampled and self._spans is not None:
            span = self._spans.start(method, parent)
            ids = span.get_span_context()
            trace = Trace(f"{ids.trace_id:032x}", f"{ids.span_id:016x}", is_sampled=True)
        _CURRENT.set(trace)
        return span
