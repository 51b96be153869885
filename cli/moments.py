"""Times as people type them on a command line."""

import datetime as dt
from typing import Annotated

import typer

from libs.domain.event import DAY_MS
from libs.serving.clock import now_ms


def today_ms() -> int:
    """The last midnight, UTC."""
    return now_ms() // DAY_MS * DAY_MS


def parse_moment(text: str) -> int:
    """Unix seconds, an ISO date or an RFC 3339 time (without a zone: UTC), as Unix milliseconds."""
    if text.lstrip("-").isdigit():
        return _checked(int(text) * 1000, text)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time; write 2026-11-21, 2026-11-21T20:00:00Z or Unix seconds"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return _checked(round(moment.timestamp() * 1000), text)


def _checked(at_ms: int, text: str) -> int:
    if not 0 <= at_ms <= 253_402_300_799_000:
        raise typer.BadParameter(f"{text!r} is not from 1970 to 9999")
    return at_ms


def moment_text(at_ms: int) -> str:
    """The time for people, in UTC to the second."""
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


# An option that takes a time.
Moment = Annotated[
    int | None,
    typer.Option(parser=parse_moment, metavar="TIME", help="ISO date or time, or Unix seconds"),
]
