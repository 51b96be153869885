"""Dayparts: quarters of the local day, on working days and on weekends."""

import functools
from datetime import datetime
from typing import Final

from libs.domain.event import Event
from libs.domain.viewing import local_time

DAYPART_COUNT: Final = 8


def daypart(local: datetime) -> int:
    """From 0 to 7: the quarter of the day (night, morning, afternoon, evening), weekends + 4."""
    return 4 * (local.weekday() >= 5) + local.hour // 6


def event_daypart(event: Event) -> int:
    """The daypart of an event by the clock of its own time zone; UTC where that is not known."""
    return _half_minute_daypart(event.context.time_zone, event.occurred_ms // _HALF_MINUTE_MS)


# Since 1970 every zone's offset, and every change of one, falls on a half minute: events within
# one share a daypart, and those of one batch share few of them.
_HALF_MINUTE_MS: Final = 30_000


@functools.lru_cache(maxsize=16_384)
def _half_minute_daypart(time_zone: str, half_minute: int) -> int:
    return daypart(local_time(half_minute * _HALF_MINUTE_MS, time_zone))
