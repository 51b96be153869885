"""Tastes in words: which genres, tags, people, languages and eras a history speaks for.

For explanations, recap and quiz; the ranker's columns are made of the same shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.features.catalogue_columns import ERA_COUNT, FIRST_DECADE, CatalogueColumns
from libs.features.profile_view import ProfileView, decayed, taste_history
from libs.features.words import Words

MOST: Final = 10
# Impressions of a genre before its own rate counts.
_PRIOR_IMPRESSIONS: Final = 5.0


class Share(NamedTuple):
    """Something by name, and how much of the taste it is; of rarer words it counts for more."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Tastes:
    """Each the largest first, at most MOST, none without a share."""

    genres: tuple[Share, ...]
    tags: tuple[Share, ...]
    people: tuple[Share, ...]
    languages: tuple[Share, ...]
    countries: tuple[Share, ...]
    eras: tuple[Share, ...]  # decades such as "1990s"
    # Of the impressions of a genre, the share that nothing came of.
    ignored_genres: tuple[Share, ...]


def tastes(view: ProfileView, columns: CatalogueColumns, at_ms: int) -> Tastes:
    """The tastes at `at_ms` of a history over the rows of `columns`."""
    rows, weights = taste_history(view, at_ms)
    shares = (weights / max(float(weights.sum()), 1e-9)).astype(np.float32)
    eras = [f"{FIRST_DECADE + 10 * (era - 1)}s" if era else "" for era in range(ERA_COUNT)]
    return Tastes(
        genres=_largest(columns.genre_names, shares @ columns.genres[rows]),
        tags=_of_words(columns.tags, rows, shares),
        people=_of_words(columns.people, rows, shares),
        languages=_of_codes(columns.languages, columns.language[rows], shares),
        countries=_of_codes(columns.countries, columns.country[rows], shares),
        eras=_of_codes(eras, columns.era[rows], shares),
        ignored_genres=_largest(columns.genre_names, genre_fatigue(view, columns.genres, at_ms)),
    )


def genre_fatigue(
    view: ProfileView, genres: NDArray[np.float32], at_ms: int
) -> NDArray[np.float64]:
    """The share (g,) of a viewer's impressions of each genre that no click followed.

    `genres` (n, g) says which titles have which. Shrunk towards none; what was shown long ago
    has expired.
    """
    impressions, clicks = decayed(view, at_ms)[:, 2:].T
    shown = np.einsum("hg,h->g", genres[view.rows], impressions)
    ignored = np.einsum("hg,h->g", genres[view.rows], np.maximum(impressions - clicks, 0.0))
    fatigue: NDArray[np.float64] = ignored / (shown + _PRIOR_IMPRESSIONS)
    return fatigue


def _of_words(
    words: Words, rows: NDArray[np.int32], shares: NDArray[np.float32]
) -> tuple[Share, ...]:
    return _largest(words.names, words.taste(rows, shares)[:-1])


def _of_codes(
    names: Sequence[str], codes: NDArray[np.signedinteger], shares: NDArray[np.float32]
) -> tuple[Share, ...]:
    sums = np.bincount(codes, shares, minlength=len(names)).astype(np.float64)
    return _largest(names, sums)


def _largest(names: Sequence[str], shares: NDArray[np.floating]) -> tuple[Share, ...]:
    """The MOST of `names` with a share, the largest first; what has no name is left out."""
    order = np.argsort(-shares, kind="stable").tolist()
    kept = [place for place in order if names[place] and shares[place] > 0]
    return tuple(Share(names[place], float(shares[place])) for place in kept[:MOST])
