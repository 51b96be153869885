"""When titles are watched: engagement by hour of the local week, and popularity at such an hour.

Few viewers watch one title in one hour of 168, so its share of an hour is shrunk towards that of
its daypart, and the daypart's towards that of all titles. The counts are decayed sums, whose order
does not matter, over as many rows as whoever makes them has: 1,344 bytes each, whatever comes.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.viewing import Device
from libs.features.daypart import DAYPART_COUNT
from libs.features.title_block import TitleBlock, popularity
from libs.features.title_table import TitleRows
from libs.features.watched_days import HOUR_COUNT, WatchedDay

HOURS_OF_WEEK: Final = 7 * HOUR_COUNT

# A season: an hour has so little to go by that it needs more of the past than a daypart.
HALF_LIFE_DAYS: Final = 90.0

# How many viewings of a title stand behind what its daypart says before its own hours count, and
# behind what all titles say before its dayparts do. One profile watches many episodes in the same
# hour, so there is less evidence than viewings: of 8,712 simulated plays the log-likelihood is
# .28 worse than without hours at 20, .05 at 300, and .003 (within the noise) at 2,000
# (make bench ONLY=hours).
_PRIOR_VIEWINGS: Final = 2_000.0

# 1970-01-01 was a Thursday.
_FIRST_WEEKDAY: Final = 3

# The daypart of each hour of the week: quarters of the day, weekends apart.
DAYPART_OF_HOUR: Final[NDArray[np.intp]] = np.array(
    [
        4 * (weekday >= 5) + hour // (HOUR_COUNT * 2 // DAYPART_COUNT)
        for weekday in range(7)
        for hour in range(HOUR_COUNT)
    ],
    np.intp,
)


def hour_of_week(day: int, hour: int) -> int:
    """From 0, Monday's first hour, to 167, of a `WatchedDay.day` and an hour of it."""
    return (day + _FIRST_WEEKDAY) % 7 * HOUR_COUNT + hour


class WeekHours:
    """Viewings of n rows by hour of the week, as of one local day; whole viewings count 1."""

    def __init__(self, row_of: Mapping[str, int], row_count: int, as_of_day: int) -> None:
        """`row_of` says which row a title id counts for; others are left out."""
        self._row_of = row_of
        self._as_of_day = as_of_day
        self._values = np.zeros((row_count, HOURS_OF_WEEK))

    def add(self, days: Iterable[WatchedDay]) -> None:
        """Add whole days, each once, in any order; those after the day are left out."""
        for one in days:
            row = self._row_of.get(one.title_id)
            age_days = self._as_of_day - one.day
            if row is None or age_days < 0 or not one.duration_ms:
                continue
            weight = 2.0 ** (-age_days / HALF_LIFE_DAYS) / one.duration_ms
            start = hour_of_week(one.day, 0)
            self._values[row, start : start + HOUR_COUNT] += np.multiply(one.hours_ms, weight)

    @property
    def values(self) -> NDArray[np.float64]:
        """The viewings (n, 168), decayed."""
        return self._values


def hour_lift(viewings: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm (n, 168) of each hour's share of a row beside that of all rows; 0 is usual."""
    usual = _shares(viewings.sum(axis=0))
    whole = viewings.sum(axis=1, keepdims=True)
    of_part = np.zeros((HOURS_OF_WEEK, DAYPART_COUNT))
    of_part[np.arange(HOURS_OF_WEEK), DAYPART_OF_HOUR] = 1.0
    usual_parts = usual @ of_part  # (8,)
    parts = (viewings @ of_part + _PRIOR_VIEWINGS * usual_parts) / (whole + _PRIOR_VIEWINGS)
    # Within a daypart the hours are those of all titles, until the row says otherwise.
    prior = parts[:, DAYPART_OF_HOUR] * (usual / usual_parts[DAYPART_OF_HOUR])
    shares = (viewings + _PRIOR_VIEWINGS * prior) / (whole + _PRIOR_VIEWINGS)
    lift: NDArray[np.float64] = np.log(shares / usual)
    return lift


def popularity_at(
    titles: TitleRows, block: TitleBlock, lift: NDArray[np.float64], device: Device, hour: int
) -> NDArray[np.float64]:
    """How popular (n,) titles are in the country of `titles`, on a device, at an hour of the week.

    The country's popularity, which is shrunk towards the world's, times how much more than usual
    the title is watched on the device and at the hour, each shrunk towards what is usual.
    """
    usual = popularity(titles).astype(np.float64)
    found: NDArray[np.float64] = usual * np.exp(block.device_lift[:, device] + lift[:, hour])
    return found


def _shares(viewings: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share (168,) of each hour; none is nothing, as one may be in the future."""
    smoothed = viewings + 1.0
    shares: NDArray[np.float64] = smoothed / smoothed.sum()
    return shares
