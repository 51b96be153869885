"""Which questions are worth asking: those whose answers together make the best lists.

What an answer tells of all titles and what it does for the first ten are two things: questions
chosen by entropy alone repeat each other where nobody looks. So the few that a quiz chooses among
are found by forward selection, on the lists of some profiles (bootstrapping a recommender with
fixed questions so is Golbandi et al. 2010); in which order, the belief decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.models.taste_model import TasteModel
from training.judge import NDCG_AT

# Lists are out of the most watched: what is at their head is hardly ever out of the others.
_TITLES: Final = 200
_MASKED: Final = -9.0


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What p profiles answer, and their lists over the m most watched titles."""

    model: TasteModel  # of m titles
    answers: NDArray[np.float32]  # (p, o) one-hot, less its mean
    shown: NDArray[np.float32]  # (p, m) the expectation of all, far below 0 where it is known
    is_relevant: NDArray[np.float32]  # (p, m)
    ideal: NDArray[np.float64]  # (p,) the discounted gain of a perfect list

    @classmethod
    def of(
        cls,
        model: TasteModel,
        answers: NDArray[np.int64],
        seen: NDArray[np.float32],
        other: NDArray[np.float32],
    ) -> "Trial":
        """Of `answers` (p, q), which `seen` (p, n) gives; `other` (p, n) is what is wanted."""
        best = np.argsort(-model.title_means, kind="stable")[:_TITLES]
        wants = np.flatnonzero(other.sum(axis=1) > 0)
        coded = one_hot(answers[wants], [len(one.option_ids) for one in model.questions])
        means = model.title_means[best]
        relevant = other[wants][:, best]
        most = np.minimum(other[wants].sum(axis=1).astype(np.int64), NDCG_AT)
        return cls(
            model=model.of_titles(best),
            answers=coded - model.option_means,
            shown=np.where(seen[wants][:, best] > 0, np.float32(_MASKED), means),
            is_relevant=relevant,
            ideal=np.cumsum(_discounts())[most - 1],
        )

    def ndcg(self, places: Sequence[int]) -> float:
        """NDCG of the lists after answers to the questions at `places`; mean over profiles."""
        columns = self.model.columns_of(places)
        scores = self.shown + self.answers[:, columns] @ self.model.weights_of(columns).T
        first = min(NDCG_AT, scores.shape[1])
        best = np.argpartition(-scores, first - 1, axis=1)[:, :first]
        ranked = np.take_along_axis(scores, best, axis=1).argsort(axis=1)[:, ::-1]
        gains = np.take_along_axis(self.is_relevant, np.take_along_axis(best, ranked, 1), axis=1)
        return float((gains @ _discounts()[:first] / self.ideal).mean())


def chosen(trial: Trial, places: Sequence[int], count: int) -> list[int]:
    """At most `count` of the questions at `places`, each the best beside those before it."""
    found: list[int] = []
    left = list(places)
    while left and len(found) < count and len(trial.answers):
        # Those that tell little alone, such as pairs, may tell most beside others.
        best = max(left, key=lambda place: trial.ndcg([*found, place]))
        found.append(best)
        left.remove(best)
    return found


def _discounts() -> NDArray[np.float64]:
    return np.asarray(1.0 / np.log2(np.arange(2, NDCG_AT + 2)))


def one_hot(answers: NDArray[np.int64], counts: Sequence[int]) -> NDArray[np.float32]:
    """`answers` (p, q) as (p, o): 1 for the option that was chosen; all 0 for no answer."""
    starts = np.cumsum(counts) - np.array(counts, dtype=np.int64)
    coded = np.zeros((len(answers), sum(counts)), dtype=np.float32)
    lines, asked = np.nonzero(answers >= 0)
    coded[lines, starts[asked] + answers[lines, asked]] = 1.0
    return coded
