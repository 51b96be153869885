"""What happens in the episodes of a series: a story whose characters appear at known places."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from libs.domain.beat import Beat, EpisodeBeats, Relation
from libs.simulation.beat_words import BEAT_SENTENCES, RELATIONS
from libs.simulation.catalogue import Catalogue, EpisodeRef
from libs.simulation.config import SimulationConfig, Stream
from libs.simulation.text import invented_word, pick
from libs.simulation.words import FIRST_NAMES, GENRES, TAGS

_CAST: Final = (5, 9)
_AT_FIRST: Final = 3  # characters of the first episode; the others come later
_BEATS: Final = (8, 14)  # of an episode
_BEAT_MS: Final = (15_000, 80_000)
_CREDITS_SHARE: Final = 0.03
_REVEALS: Final = 0.15  # of the beats with two people
_TURNS: Final = 0.08
_LEAST_LEFT: Final = 3  # nobody leaves so small a company
_LEAVES: Final = 0.25  # of the episodes
_THEME_SHARE: Final = 0.5  # of what happens
_TRIES: Final = 6

# Text, characters, relations, importance.
_Told: TypeAlias = tuple[str, tuple[str, ...], tuple[Relation, ...], float]


@dataclass(frozen=True, slots=True)
class Introduction:
    """Where a name is first told: nobody may know it who has not seen that beat."""

    name: str
    episode_id: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Story:
    """All beats of one series, and the truth about its characters."""

    series_id: str
    episodes: tuple[EpisodeBeats, ...]  # in watching order
    introductions: tuple[Introduction, ...]  # in the order of the story


def tell_story(config: SimulationConfig, catalogue: Catalogue, row: int) -> Story:
    """The story of the series at `row`; raises ValueError where that is no series.

    A beat's text names just its characters, each by its full name, and none of them earlier than
    its introduction. Who has died or left does not come back. An episode is about a few of the
    cast and a theme, which the end of the one before has hinted at.
    """
    if not catalogue.episodes[row]:
        raise ValueError(f"{catalogue.title_ids[row]} is no series")
    rng = config.rng(Stream.BEATS, row)
    teller = _Teller(catalogue, row, rng)
    episodes = tuple(
        EpisodeBeats(episode.title_id, tuple(teller.episode(number, episode)))
        for number, episode in enumerate(catalogue.episodes[row])
    )
    return Story(catalogue.title_ids[row], episodes, tuple(teller.introductions))


class _Teller:
    """Tells one series from its beginning; knows who is on stage by now."""

    def __init__(self, catalogue: Catalogue, row: int, rng: np.random.Generator) -> None:
        traits = catalogue.traits
        self._rng = rng
        self._words = GENRES[int(traits.genres[row, 0])]
        self._phrases = [
            phrase for tag in traits.tags[row].tolist() if tag >= 0 for phrase in TAGS[tag].phrases
        ]
        self._waiting = _cast(set(catalogue.space.person_names), rng)
        self._present: list[str] = []
        self._related: set[frozenset[str]] = set()
        self._theme = pick(self._phrases, rng)
        self._told: set[str] = set()
        self.introductions: list[Introduction] = []

    def episode(self, number: int, episode: EpisodeRef) -> Iterator[Beat]:
        """The beats of the next episode, in time order and apart from each other."""
        rng = self._rng
        count = int(rng.integers(_BEATS[0], _BEATS[1] + 1))
        arrivals = self._arrivals(number, count)
        next_theme = pick(self._phrases, rng)
        leaves_at = count - 2 if self._may_lose_one() else -1
        slot_ms = int(episode.duration_ms * (1 - _CREDITS_SHARE)) // count
        for place in range(count):
            length_ms = min(int(rng.integers(*_BEAT_MS)), slot_ms - 1)
            start_ms = place * slot_ms + int(rng.integers(slot_ms - length_ms))
            end_ms = start_ms + length_ms
            if place in arrivals:
                name = self._waiting.pop(0)
                self._present.append(name)
                self.introductions.append(Introduction(name, episode.title_id, start_ms, end_ms))
                told = self._meet(name)
            elif place == leaves_at:
                told = self._lose()
            elif place == count - 1:
                told = self._hint(next_theme)
            else:
                told = self._something_new()
            text, characters, relations, importance = told
            yield Beat(
                start_ms=start_ms,
                end_ms=end_ms,
                text=text[0].upper() + text[1:],
                characters=characters,
                relations=relations,
                importance=round(min(max(importance + float(rng.normal(0, 0.05)), 0.0), 1.0), 2),
                thumbnail_ms=start_ms + int(rng.integers(length_ms)),
            )
        self._theme = next_theme

    def _arrivals(self, number: int, count: int) -> set[int]:
        """The places where somebody new comes on: the first few at once, the others by and by."""
        if number == 0:
            return set(range(min(_AT_FIRST, len(self._waiting))))
        if not self._waiting or self._rng.random() < 0.4:
            return set()
        return {int(self._rng.integers(1, count - 2))}

    def _may_lose_one(self) -> bool:
        return len(self._present) > _LEAST_LEFT and bool(self._rng.random() < _LEAVES)

    def _meet(self, name: str) -> _Told:
        text = pick(BEAT_SENTENCES["meet"], self._rng).format(
            a=name, hero=pick(self._words.heroes, self._rng), place=invented_word(self._rng)
        )
        return text, (name,), (), 0.6

    def _lose(self) -> _Told:
        name = self._present.pop(1 + int(self._rng.integers(len(self._present) - 1)))
        text = pick(BEAT_SENTENCES["lose"], self._rng).format(a=name, phrase=self._theme)
        return text, (name,), (), 0.95

    def _hint(self, theme: str) -> _Told:
        name = pick(self._present, self._rng)
        text = pick(BEAT_SENTENCES["hint"], self._rng).format(a=name, phrase=theme)
        return text, (name,), (), 0.75

    def _something_new(self) -> _Told:
        """What has not been told in these words, if that is soon found."""
        for _ in range(_TRIES):
            told = self._go_on()
            if told[0] not in self._told:
                break
        self._told.add(told[0])
        return told

    def _phrase(self) -> str:
        """The theme of the episode, or something else of the series."""
        is_theme = self._rng.random() < _THEME_SHARE
        return self._theme if is_theme else pick(self._phrases, self._rng)

    def _go_on(self) -> _Told:
        """One alone, or two: with what one learns of them, a turn, or something shared."""
        rng = self._rng
        if len(self._present) < 2 or rng.random() < 0.4:
            name = pick(self._present, rng)
            text = pick(BEAT_SENTENCES["alone"], rng).format(
                a=name, conflict=pick(self._words.conflicts, rng), phrase=self._phrase()
            )
            return text, (name,), (), 0.35
        one, other = (self._present[place] for place in rng.permutation(len(self._present))[:2])
        pair = frozenset((one, other))
        draw = rng.random()
        if draw < _REVEALS and pair not in self._related:
            self._related.add(pair)
            kind = pick(RELATIONS, rng)
            text = pick(BEAT_SENTENCES["reveal"], rng).format(a=one, b=other, kind=kind)
            return text, (one, other), (Relation(one, other, kind),), 0.85
        if draw > 1 - _TURNS:
            text = pick(BEAT_SENTENCES["turn"], rng).format(a=one, b=other, phrase=self._phrase())
            return text, (one, other), (Relation(one, other, "enemy"),), 0.8
        text = pick(BEAT_SENTENCES["together"], rng).format(a=one, b=other, phrase=self._phrase())
        return text, (one, other), (), 0.45


def _cast(taken: set[str], rng: np.random.Generator) -> list[str]:
    """Full names with different first names, none of them that of somebody in the credits."""
    firsts = rng.permutation(len(FIRST_NAMES))
    wanted = int(rng.integers(_CAST[0], _CAST[1] + 1))
    names: list[str] = []
    for first in firsts.tolist():
        name = f"{FIRST_NAMES[first]} {invented_word(rng)}"
        if name not in taken:
            names.append(name)
        if len(names) == wanted:
            break
    return names
