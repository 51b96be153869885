"""The belief in each candidate, moved by answers that may be wrong."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recap.quiz.pool import Pool
from services.recap.quiz.question import DONT_CARE, Question

_LEAST: Final = 1e-300  # keeps the logarithm finite where a prior is 0


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """Log probabilities of the pool's n titles, up to a constant."""

    log_weights: NDArray[np.float64]  # (n,)

    @classmethod
    def of(cls, pool: Pool) -> "Belief":
        """The belief before any answer."""
        return cls(np.log(np.maximum(pool.prior, _LEAST)))

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """(n,), summing to 1."""
        if len(self.log_weights) == 0:
            return self.log_weights
        weights = np.exp(self.log_weights - self.log_weights.max())
        return np.asarray(weights / weights.sum())

    @property
    def entropy_bits(self) -> float:
        """How much there is left to find out."""
        probabilities = self.probabilities
        some = probabilities[probabilities > 0]
        return float(-(some * np.log2(some)).sum())

    def mass_of_top(self, count: int) -> float:
        """The probability that the wanted title is among the `count` likeliest."""
        return float(np.sort(self.probabilities)[-count:].sum())


def update(belief: Belief, question: Question, option_id: str) -> Belief:
    """The belief after an answer; DONT_CARE leaves it as it is. Raises KeyError for no option."""
    if option_id == DONT_CARE:
        return belief
    moved = belief.log_weights + np.log(question.noisy[question.place_of(option_id)])
    return Belief(moved - moved.max())
