"""The story so far: of what a profile has watched, told from what was told of the series.

Whatever is told here lies in the watched prefix. What comes after it counts in one place only: the
next episode's terms weigh known beats against each other, and are not part of the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.beat import Beat
from libs.domain.decision import Part
from libs.domain.title import Title
from libs.features.profile_state import ProfileState
from services.recap.story.cast import NOBODY, Cast
from services.recap.story.cut_list import Cut, cut_list
from services.recap.story.reading import WORDS_PER_MINUTE, reading_ms
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
    known, places = known_rows(prefix, series, held)
    next_place = len(prefix.progress.seen_ids)
    chosen = _chosen(known, series.episodes[next_place : next_place + 1], held, LENGTHS_MS[length])
    told = [KnownBeat(int(places[at]), held.beats[known[at]]) for at in chosen]
    return Story(
        series=series,
        problem=_problem(prefix, len(known)),
        beats=tuple(told[at] for at in np.argsort(chosen).tolist()),
        cast=held.cast.of(known, places),
        cuts=tuple(cut_list([(one.place, one.beat) for one in told], LENGTHS_MS[length])),
        next_place=next_place,
        position_ms=prefix.progress.next_prefix_ms,
        reading_ms=reading_ms(int(held.words[known[chosen]].sum())),
    )


def known_rows(
    prefix: WatchedPrefix, series: Series, held: HeldSeries
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """The beats that were watched to their end: rows (h,) in the order of the story.

    With them come the places (h,) of their episodes in the series.
    """
    place_of = {title.title_id: place for place, title in enumerate(series.episodes)}
    # No beat ends at 0.
    until_ms = np.array([prefix.until_ms.get(one, 0) for one in held.episode_ids], np.int64)
    place = np.array([place_of.get(one, -1) for one in held.episode_ids], np.int64)
    rows = np.flatnonzero(held.ends_ms <= until_ms[held.episodes])
    places = place[held.episodes[rows]]
    # Rows of an episode are by time already.
    order = np.argsort(places, kind="stable")
    return rows[order], places[order]


def _prefix(state: ProfileState, series: Series, held: HeldSeries) -> WatchedPrefix:
    durations_ms = {
        title.title_id: (title.duration_ms, held.durations_ms.get(title.title_id, 0))
        for title in series.episodes
    }
    return watched_prefix(state, [title.title_id for title in series.episodes], durations_ms)


def _chosen(
    known: NDArray[np.intp], following: Sequence[Title], held: HeldSeries, length_ms: int
) -> NDArray[np.intp]:
    """Which of the rows `known` to tell, best first, before the episode `following`."""
    terms = held.terms.take(known)
    relevances = np.zeros(len(known))
    if following and following[0].title_id in held.durations_ms:
        own = held.episode_ids.index(following[0].title_id)
        unknown = np.setdiff1d(np.flatnonzero(held.episodes == own), known)
        relevances = terms.cosines(held.terms.take(unknown).total())
    return select(
        held.importances[known],
        relevances,
        terms,
        held.words[known],
        budget=WORDS_PER_MINUTE * length_ms // 60_000,
    )


def _problem(prefix: WatchedPrefix, known_count: int) -> NoStoryReason:
    if known_count:
        return NoStoryReason.NONE
    return NoStoryReason.NO_BEATS if prefix.is_begun else NoStoryReason.NOT_STARTED
