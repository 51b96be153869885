"""The wall clock at many moments in many zones at once."""

import functools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.domain.viewing import zone
from services.recap.year.numbering import placed_in_runs

HOUR_MS: Final = 3_600_000


def wall_ms(history: pl.DataFrame) -> NDArray[np.int64]:
    """(n,): local_ms of each event (occurred_ms, time_zone)."""
    zones, place = placed_in_runs(history["time_zone"])
    return local_ms(history["occurred_ms"].to_numpy(), zones.to_list(), place)


def local_ms(
    at_ms: NDArray[np.int64], zones: Sequence[str], place: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Unix ms (n,) as the wall clock shows them where each is, read as if they were UTC.

    `place` (n,) says which of `zones` that is; "" is UTC. Offsets are asked once a zone and UTC
    day; only on the days whose offset changes each moment is asked for itself.
    """
    if not len(at_ms):
        return at_ms.copy()
    days = at_ms // DAY_MS
    first = int(days.min())
    width = int(days.max()) - first + 1
    cells = place * width + (days - first)
    is_met = np.zeros(len(zones) * width, np.bool_)
    is_met[cells] = True
    offsets = np.zeros(len(is_met), np.int64)
    met = np.flatnonzero(is_met)
    offsets[met] = [
        _day_offset_ms(zones[cell // width], first + cell % width) for cell in met.tolist()
    ]
    found: NDArray[np.int64] = at_ms + offsets[cells]
    if np.any(offsets == _CHANGES):
        for index in np.flatnonzero((offsets == _CHANGES)[cells]).tolist():
            moment = int(at_ms[index])
            found[index] = moment + _offset_ms(zones[place[index]], moment)
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
    if not time_zone:
        return 0
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone(time_zone))
    offset = moment.utcoffset()
    if offset is None:
        raise AssertionError("a moment in a zone has an offset")
    return round(offset.total_seconds() * 1000)
