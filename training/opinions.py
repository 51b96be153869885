"""What each profile watched and what of it it liked, as far as the log says."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import EventKind
from libs.features.engagement import PLAYBACK_KINDS
from libs.features.event_columns import EventColumns


@dataclass(frozen=True, slots=True, eq=False)
class Opinions:
    """The titles of p profiles, flattened; a row is named once a profile."""

    starts: NDArray[np.int64]  # (p + 1,)
    rows: NDArray[np.int32]  # (m,)
    is_liked: NDArray[np.bool_]  # (m,)
    row_count: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of_rows(self, kept: NDArray[np.int64]) -> "Opinions":
        """Of the rows `kept` (k,) alone, which become 0 to k - 1."""
        place_of = np.full(self.row_count, -1, dtype=np.int32)
        place_of[kept] = np.arange(len(kept), dtype=np.int32)
        places = place_of[self.rows]
        is_kept = places >= 0
        before = np.concatenate((np.zeros(1, np.int64), np.cumsum(is_kept, dtype=np.int64)))
        return Opinions(before[self.starts], places[is_kept], self.is_liked[is_kept], len(kept))

    def halves(
        self, places: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """A random half of what the profiles at `places` (k,) watched, the liked ones, the rest.

        Each is (k, row_count), 1 where it is so. Of an odd number the rest has one more.
        """
        seen, liked, other = np.zeros((3, len(places), self.row_count), dtype=np.float32)
        for line, place in enumerate(places.tolist()):
            start, stop = self.starts[place], self.starts[place + 1]
            drawn = start + rng.permutation(stop - start)
            own, rest = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
            seen[line, self.rows[own]] = 1.0
            liked[line, self.rows[own[self.is_liked[own]]]] = 1.0
            other[line, self.rows[rest]] = 1.0
        return seen, liked, other


def opinions(
    columns: EventColumns,
    title_rows: NDArray[np.int32],
    row_count: int,
    profile_ids: Collection[str] | None = None,
    *,
    without: Collection[str] = (),
) -> Opinions:
    """Of the profiles of the log, or of `profile_ids` in their order; never of those `without`.

    Watched is what was played or rated; liked is what the newest opinion of it likes. Profiles
    that watched nothing are left out, unless they are named.
    """
    rows = np.where(columns.title >= 0, title_rows[columns.title], -1)
    is_watched = np.isin(columns.kind, list(PLAYBACK_KINDS)) | (columns.kind == EventKind.RATING)
    pair = columns.profile.astype(np.int64) * row_count + rows
    watched = np.unique(pair[is_watched & (rows >= 0)])
    said = np.flatnonzero((columns.opinion != 0) & (rows >= 0))[::-1]  # newest first: it holds
    about, newest = np.unique(pair[said], return_index=True)
    liked = about[columns.opinion[said[newest]] > 0]
    if profile_ids is None:
        left_out = set(without)
        wanted = [
            index
            for index in np.unique(watched // row_count).tolist()
            if columns.profile_ids[index] not in left_out
        ]
    else:
        index_of = {profile_id: index for index, profile_id in enumerate(columns.profile_ids)}
        wanted = [index_of.get(profile_id, -1) for profile_id in profile_ids]
    indices = np.array(wanted, dtype=np.int64)
    begins = np.searchsorted(watched, indices * row_count)
    ends = np.searchsorted(watched, (indices + 1) * row_count)
    ends = np.where(indices >= 0, ends, begins)
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(ends - begins)))
    parts = [watched[begin:end] for begin, end in zip(begins, ends, strict=True)]
    kept = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    return Opinions(
        starts=starts,
        rows=(kept % row_count).astype(np.int32),
        is_liked=np.isin(kept, liked),
        row_count=row_count,
    )
