"""The hidden space in which titles lie and tastes point."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.simulation.config import SimulationConfig, Stream
from libs.simulation.words import FIRST_NAMES, GENRES, SYLLABLE_ENDS, SYLLABLE_STARTS, TAGS

DIMENSIONS: Final = 24

# Where in the hidden space a tag or a person lies: partly at its genres, partly a place of its own.
_TAG_GENRE_WEIGHT: Final = 0.7
_PERSON_GENRE_WEIGHT: Final = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class LatentSpace:
    """Unit vectors of everything that metadata names; d is DIMENSIONS."""

    genres: NDArray[np.float64]  # (g, d)
    tags: NDArray[np.float64]  # (t, d)
    people: NDArray[np.float64]  # (p, d)
    tag_genres: NDArray[np.bool_]  # (t, g)
    person_genre: NDArray[np.int64]  # (p,) the genre a person mostly works in
    person_names: tuple[str, ...]  # (p,)


def build_latent_space(config: SimulationConfig) -> LatentSpace:
    """Draw the hidden space of a configuration."""
    rng = config.rng(Stream.LATENT)
    genre_row = {genre.name: row for row, genre in enumerate(GENRES)}
    tag_genres = np.zeros((len(TAGS), len(GENRES)), bool)
    for row, tag in enumerate(TAGS):
        tag_genres[row, [genre_row[name] for name in tag.genres]] = True

    genres = directions(rng.standard_normal((len(GENRES), DIMENSIONS)))
    own = directions(rng.standard_normal((len(TAGS), DIMENSIONS)))
    tags = directions(_TAG_GENRE_WEIGHT * directions(tag_genres @ genres) + own)

    person_count = max(24, min(config.title_count // 3, 20_000))
    shares = np.array([genre.share for genre in GENRES])
    person_genre = rng.choice(len(GENRES), person_count, p=shares / shares.sum())
    own = directions(rng.standard_normal((person_count, DIMENSIONS)))
    people = directions(_PERSON_GENRE_WEIGHT * genres[person_genre] + own)
    return LatentSpace(
        genres, tags, people, tag_genres, person_genre, _person_names(person_count, rng)
    )


def directions(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows of (..., d), each with length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _person_names(count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """As many different invented names as there are to be people."""
    surnames = [start + end for start in SYLLABLE_STARTS for end in SYLLABLE_ENDS]
    chosen = rng.choice(len(FIRST_NAMES) * len(surnames), count, replace=False)
    return tuple(
        f"{FIRST_NAMES[place % len(FIRST_NAMES)]} {surnames[place // len(FIRST_NAMES)]}"
        for place in chosen.tolist()
    )
