"""Which beats to tell: what matters, without telling it twice, in the time that there is."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recap.story.terms import Terms

# What matters for the whole story comes before what matters for the next episode.
IMPORTANCE_SHARE: Final = 0.6
RELEVANCE_WEIGHT: Final = 0.7

# Three minutes are 714 words: fewer beats than this, however short.
_POOL: Final = 500


def select(
    importances: NDArray[np.float64],  # (n,) 0 to 1
    relevances: NDArray[np.float64],  # (n,) 0 to 1
    terms: Terms,  # n rows
    costs: NDArray[np.int64],  # (n,) words
    budget: int,
) -> NDArray[np.intp]:
    """The places to tell, best first, by MMR (Carbonell and Goldstein 1998) under a budget.

    Each step takes the one that fits with the largest λ·worth − (1 − λ)·(cosine to the nearest
    that is told), where worth mixes importance and relevance; equal ones go to the earlier place.
    Where not even one fits, the shortest is told.
    """
    if not len(importances):
        return np.zeros(0, np.intp)
    worth = IMPORTANCE_SHARE * importances + (1 - IMPORTANCE_SHARE) * relevances
    pool = np.sort(np.argsort(-worth, kind="stable")[:_POOL])
    worth, rows = RELEVANCE_WEIGHT * worth[pool], terms.take(pool)
    nearest = np.zeros(len(pool))
    left = costs[pool].copy()
    chosen: list[int] = []
    while True:
        open_places = np.flatnonzero(left <= budget)
        if not len(open_places):
            return pool[chosen] if chosen else np.array([np.argmin(costs)])
        value = (worth - (1 - RELEVANCE_WEIGHT) * nearest)[open_places]
        best = int(open_places[np.argmax(value)])
        chosen.append(best)
        budget -= int(left[best])
        left[best] = np.iinfo(np.int64).max
        nearest = np.maximum(nearest, rows.cosines(rows.row(best)))
