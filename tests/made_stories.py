"""Random series, random ways to watch them, and what a walk over the raw intervals says is known.

The walk shares nothing with the product: each episode is a row of cells of 250 ms that were
watched or not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.beat import Beat, EpisodeBeats, Relation
from libs.domain.event import Event, EventKind, WatchedInterval
from libs.domain.title import Title, TitleKind

CELL_MS: Final = 250
SERIES_ID: Final = "series"
_START_MS: Final = 1_750_000_000_000
_KINDS: Final = ("sister", "enemy", "boss", "spouse", "suspect")


@dataclass(frozen=True)
class MadeStory:
    """A series in the catalogue, what is told of it, and one profile's events."""

    titles: Mapping[str, Title]  # as the catalogue is now
    played_ms: Mapping[str, int]  # how long episodes were when they were watched
    beats: Mapping[str, EpisodeBeats]
    told_ms: Mapping[str, int]  # how long episodes were when their beats were told
    events: tuple[Event, ...]


def made_story(random: Random) -> MadeStory:
    """One of few episodes, watched with skips, rewatches, jumps, backwards or hardly at all."""
    titles = {SERIES_ID: Title(SERIES_ID, TitleKind.SERIES, "The series")}
    beats: dict[str, EpisodeBeats] = {}
    played_ms: dict[str, int] = {}
    told_ms: dict[str, int] = {}
    first_season = random.choice((0, 1, 1))
    for season in range(first_season, random.randint(1, 3) + 1):
        for number in range(1, random.randint(1, 4) + 1):
            episode_id = f"{random.randint(0, 99):02d}-{season}-{number}"
            played_ms[episode_id] = duration_ms = random.randint(40, 2_000) * 1_000
            titles[episode_id] = Title(
                episode_id,
                TitleKind.EPISODE,
                f"TITLE-OF-{episode_id}",
                synopsis=f"SYNOPSIS-OF-{episode_id}",
                parent_id=SERIES_ID,
                season_number=season,
                episode_number=number,
                duration_ms=_changed(random, duration_ms),
            )
            if random.random() < 0.9:
                told_ms[episode_id] = _changed(random, duration_ms)
                beats[episode_id] = EpisodeBeats(
                    episode_id, tuple(_beats(random, episode_id, told_ms[episode_id]))
                )
    return MadeStory(titles, played_ms, beats, told_ms, tuple(_events(random, played_ms)))


def _changed(random: Random, duration_ms: int) -> int:
    """Now and then another cut: a little shorter or longer, or very different."""
    if random.random() < 0.9:
        return duration_ms
    change_ms = random.choice((1_000, 30_000, 60_000, 61_000, 600_000))
    return max(1_000, duration_ms + random.choice((-1, 1)) * change_ms)


def _beats(random: Random, episode_id: str, duration_ms: int) -> Iterator[Beat]:
    """Beats that touch or leave gaps, the last often in the credits; each has words of its own."""
    at_ms = random.choice((0, 0, 5_000))
    for number in range(random.randint(1, 12)):
        end_ms = at_ms + random.randint(1, max(1, duration_ms // 2_500)) * CELL_MS
        if random.random() < 0.1:
            end_ms = duration_ms
        if not at_ms < end_ms <= duration_ms:
            return
        # Unmasked later: the same person under a name that only this beat tells.
        names = random.sample(["Ann", "Ben", "Cho", f"NAME-{episode_id}-{number}"], 2)
        yield Beat(
            at_ms,
            end_ms,
            " ".join([f"TEXT-{episode_id}-{number}", *random.choices(("a", "b", "c"), k=9)]),
            tuple(names),
            (Relation(names[0], names[1], random.choice(_KINDS) + f" REL-{episode_id}-{number}"),),
            random.random(),
            random.randrange(at_ms, end_ms),
        )
        at_ms = end_ms + random.choice((0, 0, 250, 10_000))


def _events(random: Random, played_ms: Mapping[str, int]) -> Iterator[Event]:
    """Playbacks in a random order of episodes; reports may miss each other by up to a second."""
    episodes = list(played_ms)
    match random.randrange(4):
        case 0:  # in order, up to somewhere
            episodes = episodes[: random.randint(0, len(episodes))]
        case 1:  # backwards
            episodes.reverse()
        case 2:  # some twice, some never
            episodes = random.choices(episodes, k=random.randint(0, 2 * len(episodes)))
        case _:
            random.shuffle(episodes)
    thorough = random.choice((0.3, 0.8, 0.97))
    for play, episode_id in enumerate(episodes):
        whole = random.random() < thorough
        duration_ms = played_ms[episode_id]
        for part, (kind, from_ms, to_ms) in enumerate(_playback(random, duration_ms, whole)):
            yield Event(
                f"{play}-{part}",
                "p",
                kind,
                _START_MS + random.randrange(10**9),
                sequence=part,
                title_id=episode_id,
                detail=WatchedInterval(from_ms, to_ms, duration_ms),
            )


def _playback(
    random: Random, duration_ms: int, whole: bool
) -> Iterator[tuple[EventKind, int, int]]:
    """Intervals of one playback: pieces, gaps in them, jumps ahead and back, an end somewhere."""
    at_ms = 0 if whole or random.random() < 0.6 else _cells(random, duration_ms)
    end_ms = duration_ms if whole else _cells(random, duration_ms)
    if whole and random.random() < 0.4:  # out at the credits
        end_ms = duration_ms * random.randint(85, 100) // 100 // CELL_MS * CELL_MS
    while at_ms < end_ms:
        to_ms = min(end_ms, at_ms + random.randint(1, 8) * duration_ms // 8 // CELL_MS * CELL_MS)
        if to_ms <= at_ms:
            return
        yield random.choice((EventKind.PROGRESS, EventKind.PAUSE, EventKind.REWATCH)), at_ms, to_ms
        at_ms = to_ms + random.choice((0, 0, 250, 1_000) if whole else (0, 1_000, 1_250, 9_000))
        if random.random() < 0.1:
            jump_ms = _cells(random, duration_ms)
            yield EventKind.SEEK, at_ms, jump_ms
            if not whole or jump_ms < at_ms:
                at_ms = jump_ms
                if random.random() < 0.5:
                    return
    if random.random() < 0.3:
        yield EventKind.COMPLETE, duration_ms, duration_ms


def _cells(random: Random, duration_ms: int) -> int:
    return random.randint(0, duration_ms // CELL_MS) * CELL_MS


@dataclass(frozen=True)
class Known:
    """What a profile knows by a walk over the raw intervals: beats in the order of the story."""

    beats: tuple[tuple[str, Beat], ...]
    prefix_ms: Mapping[str, int]  # of the episodes up to the first that was not seen
    next_id: str
    seen_count: int


def walk(made: MadeStory) -> Known:
    """Walk over the episodes, cell by cell."""
    known: list[tuple[str, Beat]] = []
    prefix_ms: dict[str, int] = {}
    order = _order(made.titles)
    for place, title in enumerate(order):
        played_ms = made.played_ms[title.title_id]
        watched = _cells_of(made.events, title.title_id, played_ms)
        prefix_ms[title.title_id] = end_ms = _prefix(watched)
        told_ms = made.told_ms.get(title.title_id, played_ms)
        lengths = (played_ms, told_ms, title.duration_ms)
        if max(lengths) - min(lengths) <= 60_000 and title.title_id in made.beats:
            known.extend(
                (title.title_id, beat)
                for beat in made.beats[title.title_id].beats
                if beat.end_ms <= end_ms
            )
        if watched.sum() * CELL_MS < 0.9 * played_ms or not watched.any():
            return Known(tuple(known), prefix_ms, title.title_id, place)
    return Known(tuple(known), prefix_ms, "", len(order))


def _order(titles: Mapping[str, Title]) -> list[Title]:
    episodes = [title for title in titles.values() if title.kind is TitleKind.EPISODE]
    if any(title.season_number > 0 for title in episodes):
        episodes = [title for title in episodes if title.season_number > 0]
    return sorted(episodes, key=lambda one: (one.season_number, one.episode_number))


def _cells_of(events: tuple[Event, ...], episode_id: str, duration_ms: int) -> NDArray[np.bool_]:
    watched = np.zeros(duration_ms // CELL_MS + 1, bool)
    for event in events:
        if event.title_id == episode_id and event.kind is not EventKind.SEEK:
            detail = event.detail
            assert isinstance(detail, WatchedInterval)
            watched[detail.from_ms // CELL_MS : detail.to_ms // CELL_MS] = True
    return watched


def _prefix(watched: NDArray[np.bool_]) -> int:
    """Where the run from the beginning ends; at most four cells in a row may be missing in it."""
    end = missing = 0
    for place, is_watched in enumerate(watched):
        if is_watched:
            end, missing = place + 1, 0
        else:
            missing += 1
            if missing > 4:
                break
    return end * CELL_MS
