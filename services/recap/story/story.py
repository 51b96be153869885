"""The story so far: of what a profile has watched, told from what was told of the series.

Whatever is told here lies in the watched prefix. What comes after it counts in one place only: the
next episode's terms weigh known beats against each other, and are not part of the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from libs.domain.beat import Beat
from libs.domain.decision import Part
from libs.domain.title import Title
from libs.features.profile_state import ProfileState
from services.recap.story.cast import NOBODY, Cast, cast_of
from services.recap.story.cut_list import Cut, cut_list
from services.recap.story.reading import WORDS_PER_MINUTE, reading_ms, word_count
from services.recap.story.selection import select
from services.recap.story.told_series import HeldSeries
from services.recap.story.watched_prefix import WatchedPrefix, watched_prefix


class StoryLength(IntEnum):
    """How long a story takes; numbers are those of the contract."""

    SECONDS_30 = 1
    SECONDS_90 = 2
    MINUTES_3 = 3


LENGTHS_MS: Final = {
    StoryLength.SECONDS_30: 30_000,
    StoryLength.SECONDS_90: 90_000,
    StoryLength.MINUTES_3: 180_000,
}


class NoStoryReason(IntEnum):
    """Why there is nothing to tell; numbers are those of the contract."""

    NONE = 0
    NOT_STARTED = 1
    NO_BEATS = 2
    PROGRESS_UNKNOWN = 3
    REFUSED = 4


@dataclass(frozen=True, slots=True)
class Series:
    """A series as the catalogue has it: its episodes in order."""

    episodes: tuple[Title, ...]


@dataclass(frozen=True, slots=True)
class KnownBeat:
    """A beat in the watched prefix; `place` is its episode's in the series."""

    place: int
    row: int  # of its terms
    beat: Beat


@dataclass(frozen=True, slots=True)
class Story:
    """What may be told; `next_place` is where to go on, or the number of episodes at the end."""

    series: Series
    problem: NoStoryReason = NoStoryReason.NONE
    beats: tuple[KnownBeat, ...] = ()
    cast: Cast = NOBODY
    cuts: tuple[Cut, ...] = ()
    next_place: int = 0
    position_ms: int = 0
    reading_ms: int = 0
    degraded: tuple[Part, ...] = ()


def nothing(problem: NoStoryReason, degraded: tuple[Part, ...] = ()) -> Story:
    """A story that tells nothing, not even how far anybody is."""
    return Story(Series(()), problem, degraded=degraded)


def tell(state: ProfileState, series: Series, held: HeldSeries, length: StoryLength) -> Story:
    """The story of `series` as far as `state` has watched it, in about `length`."""
    prefix = _prefix(state, series, held)
    known = known_beats(prefix, series, held)
    next_place = len(prefix.progress.seen_ids)
    chosen = _chosen(known, next_place, series, held, LENGTHS_MS[length])
    return Story(
        series=series,
        problem=_problem(prefix, known),
        beats=tuple(sorted(chosen, key=lambda one: (one.place, one.beat.start_ms))),
        cast=cast_of((one.place, one.beat) for one in known),
        cuts=tuple(cut_list([(one.place, one.beat) for one in chosen], LENGTHS_MS[length])),
        next_place=next_place,
        position_ms=prefix.progress.next_prefix_ms,
        reading_ms=reading_ms(sum(word_count(one.beat.text) for one in chosen)),
    )


def known_beats(prefix: WatchedPrefix, series: Series, held: HeldSeries) -> list[KnownBeat]:
    """The beats that were watched to their end, in the order of the story."""
    known: list[KnownBeat] = []
    for place, title in enumerate(series.episodes):
        told = held.episodes.get(title.title_id)
        if told is not None:
            until_ms = prefix.until_ms.get(title.title_id, 0)
            known.extend(
                KnownBeat(place, told.first_row + row, beat)
                for row, beat in enumerate(told.beats)
                if beat.end_ms <= until_ms
            )
    return known


def _prefix(state: ProfileState, series: Series, held: HeldSeries) -> WatchedPrefix:
    durations_ms: Mapping[str, Sequence[int]] = {
        title.title_id: (
            title.duration_ms,
            held.episodes[title.title_id].duration_ms if title.title_id in held.episodes else 0,
        )
        for title in series.episodes
    }
    return watched_prefix(state, [title.title_id for title in series.episodes], durations_ms)


def _chosen(
    known: Sequence[KnownBeat], next_place: int, series: Series, held: HeldSeries, length_ms: int
) -> list[KnownBeat]:
    """The beats to tell, best first."""
    rows = np.array([one.row for one in known], np.intp)
    terms = held.terms.take(rows)
    following = series.episodes[next_place : next_place + 1]
    told = held.episodes.get(following[0].title_id) if following else None
    relevances = np.zeros(len(known))
    if told is not None:
        own = np.arange(told.first_row, told.first_row + len(told.beats))
        relevances = terms.cosines(held.terms.take(np.setdiff1d(own, rows)).total())
    places = select(
        np.array([one.beat.importance for one in known]),
        relevances,
        terms,
        np.array([word_count(one.beat.text) for one in known], np.int64),
        budget=WORDS_PER_MINUTE * length_ms // 60_000,
    )
    return [known[place] for place in places]


def _problem(prefix: WatchedPrefix, known: Sequence[KnownBeat]) -> NoStoryReason:
    if known:
        return NoStoryReason.NONE
    return NoStoryReason.NO_BEATS if prefix.is_begun else NoStoryReason.NOT_STARTED
