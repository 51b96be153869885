"""What counts as a good recommendation: titles that are new to a profile and then engage it."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import EventKind
from libs.features.engagement import PLAYBACK_KINDS
from libs.features.event_columns import EventColumns
from training.cuts import Cut

# Half of one viewing in sum: a start that was given up is no success.
LEAST_ENGAGEMENT: Final = 0.5


def row_of_titles(columns: EventColumns, row_of: Mapping[str, int]) -> NDArray[np.int32]:
    """The row (t,) that each of the log's titles counts for; -1 for none."""
    return np.array([row_of.get(title_id, -1) for title_id in columns.title_ids], dtype=np.int32)


def relevant_rows(
    columns: EventColumns, title_rows: NDArray[np.int32], row_count: int, cut: Cut
) -> dict[int, NDArray[np.int32]]:
    """The rows, ascending, that are relevant to each profile (an index of `columns`) at the cut.

    Relevant is what a profile did not know before the cut (see `known_rows`) and, within the
    horizon, engages with by LEAST_ENGAGEMENT in sum, rates, or thumbs up. Profiles without any
    are left out.
    """
    pair = _pairs(columns, title_rows, row_count)
    start, end = np.searchsorted(columns.occurred_ms, (cut.time_ms, cut.end_ms))
    window = slice(int(start), int(end))
    distinct, place = np.unique(pair[window], return_inverse=True)
    watched = np.bincount(place, columns.engagement[window], minlength=len(distinct))
    is_said = ~np.isnan(columns.rating[window]) | (columns.thumb[window] > 0)
    said = np.bincount(place, is_said, minlength=len(distinct))
    seen = _known_pairs(columns, pair, int(start))
    good = (distinct >= 0) & ((watched >= LEAST_ENGAGEMENT) | (said > 0))
    pairs = distinct[good & ~np.isin(distinct, seen)]
    return _by_profile(pairs, row_count)


def known_rows(
    columns: EventColumns, title_rows: NDArray[np.int32], row_count: int, cut: Cut
) -> dict[int, NDArray[np.int32]]:
    """The rows, ascending, that each profile knew before the cut: played, rated or thumbed down.

    Of the log what `libs.features.profile_view.seen_rows` is of a profile's state.
    """
    pair = _pairs(columns, title_rows, row_count)
    start = int(np.searchsorted(columns.occurred_ms, cut.time_ms))
    known = _known_pairs(columns, pair, start)
    return _by_profile(known[known >= 0], row_count)


def watching(
    columns: EventColumns, title_rows: NDArray[np.int32], row_count: int, from_ms: int, to_ms: int
) -> NDArray[np.float64]:
    """The engagement (n,) of all profiles with each row from `from_ms` until before `to_ms`."""
    start, end = np.searchsorted(columns.occurred_ms, (from_ms, to_ms))
    rows = np.where(columns.title >= 0, title_rows[columns.title], -1)[start:end]
    named = rows >= 0
    watched = columns.engagement[start:end][named]
    return np.bincount(rows[named], watched, minlength=row_count).astype(np.float64)


def _known_pairs(columns: EventColumns, pair: NDArray[np.int64], stop: int) -> NDArray[np.int64]:
    """The distinct pairs, ascending, that the first `stop` events played, rated or disliked."""
    kind = columns.kind[:stop]
    is_known = np.isin(kind, list(PLAYBACK_KINDS)) | ~np.isnan(columns.rating[:stop])
    thumbs = np.flatnonzero(kind == EventKind.THUMB)[::-1]  # newest first: that one holds
    thumbed, newest = np.unique(pair[thumbs], return_index=True)
    disliked = thumbed[columns.thumb[thumbs[newest]] < 0]
    return np.union1d(pair[:stop][is_known], disliked)


def _by_profile(pairs: NDArray[np.int64], row_count: int) -> dict[int, NDArray[np.int32]]:
    profiles, starts = np.unique(pairs // row_count, return_index=True)
    rows = np.split((pairs % row_count).astype(np.int32), starts[1:])
    return dict(zip(profiles.tolist(), rows, strict=False))


def _pairs(
    columns: EventColumns, title_rows: NDArray[np.int32], row_count: int
) -> NDArray[np.int64]:
    """One number (n,) for the profile and the credited row of each event; -1 without a row."""
    rows = np.where(columns.title >= 0, title_rows[columns.title], -1)
    return np.where(rows >= 0, columns.profile.astype(np.int64) * row_count + rows, -1)
