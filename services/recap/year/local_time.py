"""The wall clock at many moments in many zones at once."""

import functools
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.domain.viewing import zone

HOUR_MS: Final = 3_600_000


def local_ms(at_ms: NDArray[np.int64], time_zone: str) -> NDArray[np.int64]:
    """Unix ms (n,) as the wall clock in `time_zone` shows them, read as if it were UTC.

    "" is UTC. Offsets are asked once a UTC day; only on the days whose offset changes each moment
    is asked for itself.
    """
    if not time_zone or not len(at_ms):
        return at_ms.copy()
    days, place = np.unique(at_ms // DAY_MS, return_inverse=True)
    offsets = np.array([_day_offset_ms(time_zone, day) for day in days.tolist()], np.int64)
    found = at_ms + offsets[place]
    for index in np.flatnonzero((offsets == _CHANGES)[place]).tolist():
        moment = int(at_ms[index])
        found[index] = moment + _offset_ms(time_zone, moment)
    return found


# Of no zone: the offset of a day on which it changes.
_CHANGES: Final = 30 * DAY_MS


@functools.lru_cache(maxsize=65_536)
def _day_offset_ms(time_zone: str, day: int) -> int:
    """The offset of a UTC day, or _CHANGES."""
    first = _offset_ms(time_zone, day * DAY_MS)
    last = _offset_ms(time_zone, (day + 1) * DAY_MS - 1)
    return first if first == last else _CHANGES


def _offset_ms(time_zone: str, at_ms: int) -> int:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone(time_zone))
    offset = moment.utcoffset()
    if offset is None:
        raise AssertionError("a moment in a zone has an offset")
    return round(offset.total_seconds() * 1000)
