"""A profile's vector from its history: the user step of iALS (Hu, Koren, Volinsky 2008)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Products of at most d x 64 x d keep OpenBLAS on one thread (up to d = 64), so the bits do not
# depend on how many threads a process has.
_BLOCK: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Implicit:
    """What the user step needs beside the vectors; confidence is c = 1 + alpha * weight."""

    gram: NDArray[np.float64]  # (d, d), Y'Y over the titles that the factors were fitted on
    regularization: float
    alpha: float


def fold_in(
    vectors: NDArray[np.float32],
    implicit: Implicit,
    rows: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The vector (d,) of a history: `rows` (h,) of `vectors` (n, d) with `weights` (h,) >= 0.

    Solves (Y'Y + reg I + sum (c_i - 1) y_i y_i') x = sum c_i y_i in float64. All zeros for an
    empty history. The same function serves, trains and evaluates; profile vectors are not kept.
    """
    dimensions = vectors.shape[1]
    if len(rows) == 0:
        return np.zeros(dimensions, dtype=np.float32)
    factors = vectors[rows].astype(np.float64)
    extra = implicit.alpha * weights.astype(np.float64)  # c - 1
    weighted = factors * extra[:, None]
    left = implicit.gram + implicit.regularization * np.eye(dimensions)
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        left += weighted[block].T @ factors[block]
    right = np.einsum("hd,h->d", factors, 1.0 + extra)
    return np.linalg.solve(left, right).astype(np.float32)
