"""The pool: the candidates that a quiz chooses among, and how likely each is before any answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from libs.faults import InvalidField
from services.recap.quiz.title_traits import Labels, TitleTraits

# Of the softmax over scores at deviation 1: the likeliest for what simulated viewers wished for
# (make bench ONLY=quiz fits it anew).
TEMPERATURE: Final = 1.44


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """n titles as Recommend ordered them, best first, with what is known of each."""

    titles: tuple[Title, ...]  # (n,)
    prior: NDArray[np.float64]  # (n,) sums to 1
    labels: Mapping[str, Labels]
    release_years: NDArray[np.int64]  # (n,)
    minutes: NDArray[np.int64]  # (n,)
    is_series: NDArray[np.bool_]  # (n,)
    popularity: NDArray[np.float64] | None = None  # (n,) how much everyone watches them
    vectors: NDArray[np.float32] | None = None  # (n, d) at length 1, where a bundle has them

    @property
    def title_ids(self) -> tuple[str, ...]:
        """The titles' ids (n,)."""
        return tuple(title.title_id for title in self.titles)

    @classmethod
    def of(
        cls,
        traits: TitleTraits,
        title_ids: Sequence[str],
        scores: NDArray[np.floating],
        *,
        popularity: NDArray[np.float64] | None = None,
        vectors: NDArray[np.float32] | None = None,
    ) -> "Pool":
        """The pool of what Recommend answered: `title_ids` (m,) with `scores` (m,).

        Titles that the catalogue no longer knows are left out, so n <= m; `popularity` (m,) and
        `vectors` (m, d) are cut alike. Raises InvalidField where the arrays differ in length.
        """
        prior = prior_of(scores.astype(np.float64))
        return cls.of_weights(traits, title_ids, prior, popularity=popularity, vectors=vectors)

    @classmethod
    def of_weights(
        cls,
        traits: TitleTraits,
        title_ids: Sequence[str],
        weights: NDArray[np.floating],
        *,
        popularity: NDArray[np.float64] | None = None,
        vectors: NDArray[np.float32] | None = None,
    ) -> "Pool":
        """As `of`, where probabilities are known up to a factor: `weights` (m,) above 0."""
        given = (("scores", weights), ("popularity", popularity), ("vectors", vectors))
        for field, values in given:
            if values is not None and len(values) != len(title_ids):
                raise InvalidField(field, "must be as many as title_ids")
        found = rows_of(traits.row_of, title_ids)
        kept = np.flatnonzero(found >= 0)
        rows = found[kept]
        prior = weights[kept].astype(np.float64)
        return cls(
            titles=tuple(traits.titles[row] for row in rows.tolist()),
            prior=prior / prior.sum() if len(prior) else prior,
            labels={kind: labels.take(rows) for kind, labels in traits.labels.items()},
            release_years=traits.release_years[rows],
            minutes=traits.minutes[rows],
            is_series=traits.is_series[rows],
            popularity=None if popularity is None else popularity[kept],
            vectors=None if vectors is None else vectors[kept],
        )


def rows_of(row_of: Mapping[str, int], title_ids: Sequence[str]) -> NDArray[np.int64]:
    """The row (m,) of each title; -1 for one that is not there."""
    return np.fromiter(map(row_of.get, title_ids, repeat(-1)), np.int64, len(title_ids))


def prior_of(scores: NDArray[np.float64], temperature: float = TEMPERATURE) -> NDArray[np.float64]:
    """Probabilities (n,) of `scores` (n,); only differences relative to their spread matter."""
    if len(scores) == 0:
        return scores
    spread = float(scores.std())
    if not spread > 0:
        return np.full(len(scores), 1.0 / len(scores))
    powers = (scores - scores.max()) / (spread * temperature)
    weights = np.exp(powers)
    return np.asarray(weights / weights.sum())
