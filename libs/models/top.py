"""The best k of a score array, with ties decided by row."""

import numpy as np
from numpy.typing import NDArray


def top_rows(scores: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """Rows of the k largest of `scores` (n,), best first, ties by row; fewer if n < k."""
    k = min(k, len(scores))
    if k <= 0:
        return np.empty(0, dtype=np.int32)
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        above = np.flatnonzero(scores > least)
        rows = np.concatenate((above, np.flatnonzero(scores == least)[: k - len(above)]))
    else:
        rows = np.arange(len(scores))
    return best_first(rows.astype(np.int32), scores[rows])


def best_first(rows: NDArray[np.int32], scores: NDArray[np.float32]) -> NDArray[np.int32]:
    """`rows` ordered by descending score, ties by row."""
    return rows[np.lexsort((rows, -scores))]
