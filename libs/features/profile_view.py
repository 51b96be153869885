"""A profile's history over the rows of a bundle: episodes credited to their series."""

from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from libs.features.catalogue_columns import CatalogueColumns
from libs.features.engagement import LIKED_RATING
from libs.features.profile_state import ProfileState
from libs.features.title_record import (
    SIGHT_HALF_LIFE_MS,
    SIGHT_TTL_MS,
    TASTE_HALF_LIFE_MS,
    TITLE_RECORD,
)

# A like says as much as having watched the title once more.
_LIKE_WEIGHT: Final = 1.0
# Titles that make up a taste; the newest of those with more.
MOST_TASTE: Final = 300

_BYTES: Final = np.dtype((np.void, TITLE_RECORD.itemsize))
_COUNTERS: Final = ("engagement", "starts", "impressions", "clicks")


@dataclass(frozen=True, slots=True, eq=False)
class ProfileView:
    """h rows that a profile has any event about; all arrays are aligned with `rows`.

    Of a series, counters and watched time are sums over its episodes and itself, times are the
    newest, opinions are the newest given to any of them.
    """

    rows: NDArray[np.int32]  # (h,) ascending, distinct
    counters_ms: NDArray[np.int64]  # (h,) what the next four are as of
    engagement: NDArray[np.float64]  # (h,)
    starts: NDArray[np.float64]  # (h,)
    impressions: NDArray[np.float64]  # (h,)
    clicks: NDArray[np.float64]  # (h,)
    last_ms: NDArray[np.int64]  # (h,) newest playback or rating; 0 never
    last_sequence: NDArray[np.int64]  # (h,)
    last_tie: NDArray[np.uint64]  # (h,)
    first_ms: NDArray[np.int64]  # (h,) oldest playback or rating; 0 never
    shown_ms: NDArray[np.int64]  # (h,)
    completed_ms: NDArray[np.int64]  # (h,) newest COMPLETE; of a series that of any episode
    duration_ms: NDArray[np.int64]  # (h,)
    watched_ms: NDArray[np.int64]  # (h,)
    rating: NDArray[np.float64]  # (h,) value / scale; NaN for none
    thumb: NDArray[np.int8]  # (h,) +1, -1, 0
    is_listed: NDArray[np.bool_]  # (h,)
    records: NDArray[np.void]  # (r,) of TITLE_RECORD, as stored, ordered by row
    record_rows: NDArray[np.int32]  # (r,)


def resolve(state: ProfileState, columns: CatalogueColumns) -> ProfileView:
    """The history over the rows of `columns`; titles that count for no row are left out."""
    row_of = columns.credit.row_of
    found = map(row_of.get, state.title_ids, repeat(-1))
    all_rows = np.fromiter(found, np.int32, len(state.title_ids))
    kept = np.flatnonzero(all_rows >= 0)
    kept = kept[np.argsort(all_rows[kept], kind="stable")]
    record_rows = all_rows[kept]
    # As plain bytes: field by field a copy takes three times as long.
    records = state.records.view(_BYTES)[kept].view(TITLE_RECORD)
    starts = _group_starts(record_rows)
    counters_ms, counters = _summed(records, starts)
    last = _newest(records, record_rows, starts, "last")
    rating = _newest(records, record_rows, starts, "rating")
    thumb = _newest(records, record_rows, starts, "thumb")
    listed = _newest(records, record_rows, starts, "listed")
    return ProfileView(
        rows=record_rows[starts],
        counters_ms=counters_ms,
        engagement=counters[:, 0],
        starts=counters[:, 1],
        impressions=counters[:, 2],
        clicks=counters[:, 3],
        last_ms=records["last_ms"][last],
        last_sequence=records["last_sequence"][last],
        last_tie=records["last_tie"][last],
        first_ms=_oldest(records["first_ms"], starts),
        shown_ms=_reduced(np.maximum, records["shown_ms"], starts),
        completed_ms=_reduced(np.maximum, records["completed_ms"], starts),
        duration_ms=_reduced(np.add, records["duration_ms"], starts),
        watched_ms=_reduced(np.add, records["watched_ms"], starts),
        rating=records["rating"][rating],
        thumb=records["thumb"][thumb],
        is_listed=records["is_listed"][listed] > 0,
        records=records,
        record_rows=record_rows,
    )


def taste_history(
    view: ProfileView, at_ms: int, most: int = MOST_TASTE
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The `most` newest titles that speak for a taste: rows (h,), newest first, and weights > 0."""
    places, weights = taste_places(view, decayed(view, at_ms), most)
    return view.rows[places], weights


def taste_places(
    view: ProfileView, now: NDArray[np.float64], most: int = MOST_TASTE
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """As `taste_history`, of the `decayed` counters `now` (h, 4): places in the view's rows.

    The weight of a title is its engagement, on a logarithmic scale so that a long series does not
    drown the rest, plus one for a like; a thumb down takes it out.
    """
    strength = np.log2(1.0 + now[:, 0])
    is_liked = (view.thumb > 0) | (view.rating >= LIKED_RATING)
    weights = (strength + _LIKE_WEIGHT * is_liked).astype(np.float32)
    usable = np.flatnonzero((weights > 0) & (view.thumb >= 0))
    order = np.lexsort(
        (
            view.rows[usable],
            view.last_tie[usable],
            view.last_sequence[usable],
            view.last_ms[usable],
        )
    )
    newest = usable[order[::-1][:most]]
    return newest, weights[newest]


def seen_rows(view: ProfileView) -> NDArray[np.int32]:
    """What is nothing new to the profile: rows that it played, rated or thumbed down."""
    return view.rows[(view.last_ms > 0) | (view.thumb < 0)]


def watched_ratio(view: ProfileView) -> NDArray[np.float64]:
    """The share (h,) of each row's media, as far as it is known, that was watched."""
    ratio: NDArray[np.float64] = np.minimum(view.watched_ms / np.maximum(view.duration_ms, 1), 1.0)
    return ratio


def decayed(view: ProfileView, at_ms: int) -> NDArray[np.float64]:
    """Engagement, starts, impressions and clicks (h, 4) as they are at `at_ms`.

    Impressions and clicks of long ago have expired, and count as none.
    """
    ages_ms = at_ms - view.counters_ms
    now = _columns(view.engagement, view.starts, view.impressions, view.clicks) * _factors(ages_ms)
    now[ages_ms > SIGHT_TTL_MS, 2:] = 0.0
    return now


def _summed(
    records: NDArray[np.void], starts: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The counters of each group, brought to the group's newest time and added up."""
    at_ms = _reduced(np.maximum, records["counters_ms"], starts)
    edges = np.append(starts, len(records))
    sizes = edges[1:] - edges[:-1]
    ages_ms = np.repeat(at_ms, sizes) - records["counters_ms"]
    return at_ms, _reduced(
        np.add, _columns(*(records[name] for name in _COUNTERS)) * _factors(ages_ms), starts
    )


def _columns(*counters: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array(counters).T


def _factors(ages_ms: NDArray[np.int64]) -> NDArray[np.float64]:
    """What is left (h, 4) of the counters after ages (h,); negative ages count as 0."""
    ages = -np.maximum(ages_ms, 0).astype(np.float64)
    factors = np.empty((len(ages), 4))
    factors[:, :2] = np.exp2(ages / TASTE_HALF_LIFE_MS)[:, None]
    factors[:, 2:] = np.exp2(ages / SIGHT_HALF_LIFE_MS)[:, None]
    return factors


def _oldest(times_ms: NDArray[np.int64], starts: NDArray[np.intp]) -> NDArray[np.int64]:
    """Each group's smallest time, where 0 is none."""
    # As an unsigned number less 1, none is the largest.
    shifted = (times_ms - 1).view(np.uint64)
    oldest: NDArray[np.int64] = (_reduced(np.minimum, shifted, starts) + np.uint64(1)).view(
        np.int64
    )
    return oldest


def _newest(
    records: NDArray[np.void], rows: NDArray[np.int32], starts: NDArray[np.intp], register: str
) -> NDArray[np.intp]:
    """The place of each group's record whose register was written last."""
    if len(starts) == len(rows) or not records[f"{register}_tie"].any():
        return starts  # every group is one record, or none has the register
    order: NDArray[np.intp] = np.lexsort(
        (
            records[f"{register}_tie"],
            records[f"{register}_sequence"],
            records[f"{register}_ms"],
            rows,
        )
    )
    newest: NDArray[np.intp] = order[np.append(starts[1:], len(rows)) - 1]
    return newest


def _group_starts(rows: NDArray[np.int32]) -> NDArray[np.intp]:
    is_first = np.ones(len(rows), dtype=np.bool_)
    is_first[1:] = rows[1:] != rows[:-1]
    return np.flatnonzero(is_first)


def _reduced(add: np.ufunc, values: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[Any]:
    """`add.reduceat`, which has no answer for no groups."""
    if len(starts) == 0:
        return values[:0]
    reduced: NDArray[Any] = add.reduceat(values, starts, axis=0)
    return reduced
