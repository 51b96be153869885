"""Progress: how far a profile has come with a movie or a series, and where it would go on.

The contiguous prefix counts: an episode that was skipped is where a story recap has to stop,
whatever was watched after it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from libs.domain.title import Title, TitleKind
from libs.features.profile_state import ProfileState

# Who has seen so much of an episode has seen it; the rest is credits.
_SEEN_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a series: what was seen without a gap from its beginning, in the order of episodes."""

    seen_ids: tuple[str, ...]  # whole episodes, or the movie itself
    next_id: str  # the first that is not seen to its end; "" when all are
    next_prefix_ms: int  # how much of that one was watched from its beginning without a gap
    next_position_ms: int  # where it was left

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left."""
        return not self.next_id

    @property
    def is_begun(self) -> bool:
        """Whether anything was seen."""
        return bool(self.seen_ids) or self.next_position_ms > 0


def episode_ids(titles: Iterable[Title]) -> Mapping[str, tuple[str, ...]]:
    """The episodes of each series in their order: season, number, id.

    Season 0 of a series that has numbered seasons is specials, which have no place in that order.
    """
    of_series: dict[str, list[tuple[int, int, str]]] = {}
    for title in titles:
        if title.kind is TitleKind.EPISODE:
            key = (title.season_number, title.episode_number, title.title_id)
            of_series.setdefault(title.parent_id, []).append(key)
    return {series_id: _in_order(found) for series_id, found in of_series.items()}


def _in_order(found: list[tuple[int, int, str]]) -> tuple[str, ...]:
    has_seasons = any(season for season, _, _ in found)
    return tuple(title_id for season, _, title_id in sorted(found) if season or not has_seasons)


def progress(state: ProfileState, parts: Iterable[str]) -> Progress:
    """How far `state` has come with `parts`: the episodes of a series in order, or one movie."""
    place_of = {title_id: place for place, title_id in enumerate(state.title_ids)}
    seen: list[str] = []
    for title_id in parts:
        place = place_of.get(title_id)
        if place is None:
            return Progress(tuple(seen), title_id, 0, 0)
        record = state.records[place]
        # Of the union of watched intervals: COMPLETE also comes after a jump to the end.
        is_seen = 0 < _SEEN_SHARE * record["duration_ms"] <= record["watched_ms"]
        if not is_seen:
            left_ms = int(record["position_ms"])
            return Progress(tuple(seen), title_id, int(record["prefix_ms"]), left_ms)
        seen.append(title_id)
    return Progress(tuple(seen), "", 0, 0)
