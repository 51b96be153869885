"""Structured logs on standard output: readable on a terminal, one JSON object a line otherwise."""

import logging
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from libs.telemetry.traces import current_trace


def _with_trace(logger: WrappedLogger, name: str, line: EventDict) -> EventDict:
    """Adds the trace of the call that a line is about."""
    trace = current_trace()
    if trace is not None:
        line.setdefault("trace_id", trace.trace_id)
    return line


# Standard error is kept for the one line that says why a process could not start.
_STAMPED: Final[tuple[structlog.typing.Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    _with_trace,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logs(service: str, *, is_terminal: bool | None = None, level: str = "info") -> None:
    """Make every log line, also those of other libraries, carry `service`, time and level.

    To be called once, by a composition root; `is_terminal` None asks standard output.
    """
    if is_terminal is None:
        is_terminal = sys.stdout.isatty()
    threshold = logging.getLevelNamesMapping()[level.upper()]
    rendering: tuple[structlog.typing.Processor, ...]
    if is_terminal:
        rendering = (structlog.dev.ConsoleRenderer(),)
    else:
        rendering = (
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        )
    structlog.configure(
        processors=[*_STAMPED, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
    foreign = logging.StreamHandler(sys.stdout)
    foreign.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_STAMPED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    # Libraries are heard from warnings on: their chatter is not ours to explain.
    logging.basicConfig(handlers=[foreign], level=max(threshold, logging.WARNING), force=True)
