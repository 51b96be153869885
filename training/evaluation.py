"""How good ranked lists are: NDCG and recall over the full catalogue, and paired bootstraps."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over profiles with the 95% interval of the bootstrap."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the sign is beyond doubt."""
        return self.low > 0 or self.high < 0


def ndcg_at_k(ranked: NDArray[np.int32], relevant: NDArray[np.int32], k: int) -> float:
    """Binary NDCG of `ranked` (m,), best first, against the `relevant` rows; 0 if there are none.

    The ideal list has every relevant title first (Jarvelin, Kekalainen 2002).
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = float(discounts[: min(k, len(relevant))].sum())
    if ideal == 0:
        return 0.0
    hits = np.isin(ranked[:k], relevant)
    return float(discounts[: len(hits)][hits].sum()) / ideal


def recall_at_k(ranked: NDArray[np.int32], relevant: NDArray[np.int32], k: int) -> float:
    """The share of the `relevant` rows among the first k of `ranked`; 0 if there are none."""
    if len(relevant) == 0:
        return 0.0
    return float(np.isin(relevant, ranked[:k]).mean())


def bootstrap(values: NDArray[np.float64], seed: int, *, resamples: int = RESAMPLES) -> Interval:
    """The mean of `values` (p,), one a profile, with its interval over resampled profiles.

    For a paired comparison give the differences of the two methods, profile by profile.
    """
    if len(values) == 0:
        return Interval(0.0, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    means = np.array(
        [values[rng.integers(0, len(values), len(values))].mean() for _ in range(resamples)]
    )
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high))
