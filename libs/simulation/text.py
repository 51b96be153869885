"""Names and synopses, from the words of a title's genres and tags: taste can be read from them."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from libs.simulation.words import (
    EPISODE_SENTENCES,
    GENRES,
    NAME_PATTERNS,
    SYLLABLE_ENDS,
    SYLLABLE_STARTS,
    TAG_SENTENCES,
    TAGS,
)

_T = TypeVar("_T")

_NUMERALS = ("", " II", " III", " IV", " V")


class NameBook:
    """Invents names; never gives one out twice."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def name(self, genre: int, rng: np.random.Generator) -> str:
        """A new name in the words of a genre."""
        words = GENRES[genre]
        name = pick(NAME_PATTERNS, rng).format(
            adjective=pick(words.adjectives, rng),
            noun=pick(words.nouns, rng),
            word=invented_word(rng),
        )
        times = self._given[name] = self._given.get(name, 0) + 1
        return name + (_NUMERALS[times - 1] if times <= len(_NUMERALS) else f" {times}")


def synopsis(genres: list[int], tags: list[int], rng: np.random.Generator) -> str:
    """Two or three sentences: the conflict of the first genre, then what the tags say."""
    words = GENRES[genres[0]]
    opening = f"In {invented_word(rng)}, {pick(words.heroes, rng)} {pick(words.conflicts, rng)}."
    phrases = [pick(TAGS[tag].phrases, rng) for tag in tags]
    told = ", ".join(phrases[:-1]) + (" and " if len(phrases) > 1 else "") + phrases[-1]
    sentences = [opening, pick(TAG_SENTENCES, rng).format(phrases=told)]
    if len(genres) > 1:
        second = GENRES[genres[1]]
        sentences.append(
            f"Part {second.name.lower()}: {pick(second.heroes, rng)} {pick(second.conflicts, rng)}."
        )
    return " ".join(sentences)


def episode_synopsis(genre: int, tags: list[int], rng: np.random.Generator) -> str:
    """One sentence about one episode."""
    told = pick(EPISODE_SENTENCES, rng).format(
        hero=pick(GENRES[genre].heroes, rng), phrase=pick(TAGS[pick(tags, rng)].phrases, rng)
    )
    return told[0].upper() + told[1:]


def invented_word(rng: np.random.Generator) -> str:
    """A proper noun that exists nowhere, such as "Ostvale"."""
    return pick(SYLLABLE_STARTS, rng) + pick(SYLLABLE_ENDS, rng)


def pick(choices: Sequence[_T], rng: np.random.Generator) -> _T:
    """One of the choices, all equally likely."""
    return choices[int(rng.integers(len(choices)))]
