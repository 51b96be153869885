"""Evidence of this session, beside what was watched: titles of a request, or of a quiz."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.features.profile_view import MOST_TASTE
from libs.features.wishes import Wishes


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for a taste, and what is not wanted now; rows of a bundle, each once."""

    rows: NDArray[np.int32]  # (s,) the heaviest first
    weights: NDArray[np.float32]  # (s,) > 0; 1 is a title watched to its end just now
    unwanted: NDArray[np.int32]  # (u,)

    @staticmethod
    def of(seeds: Iterable[tuple[str, float]], row_of: Mapping[str, int]) -> "Evidence":
        """Of title ids and weights, below 0 for what is not wanted; unknown ids are passed over."""
        found: dict[int, float] = {}
        for title_id, weight in seeds:
            row = row_of.get(title_id)
            if row is not None:
                found[row] = found.get(row, 0.0) + weight
        wanted = sorted((-weight, row) for row, weight in found.items() if weight > 0)
        return Evidence(
            np.array([row for _, row in wanted], dtype=np.int32),
            np.array([-weight for weight, _ in wanted], dtype=np.float32),
            np.array(sorted(row for row, weight in found.items() if weight < 0), dtype=np.int32),
        )

    def joined(
        self, rows: NDArray[np.int32], weights: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """A taste (h,), newest first, with the evidence before it and in its stead."""
        if len(self.rows) == 0 and len(self.unwanted) == 0:
            return rows, weights
        kept = ~np.isin(rows, np.concatenate([self.rows, self.unwanted]))
        return (
            np.concatenate([self.rows, rows[kept]])[:MOST_TASTE],
            np.concatenate([self.weights, weights[kept]])[:MOST_TASTE],
        )


NO_EVIDENCE: Final = Evidence.of((), {})


def session_evidence(
    seeds: Sequence[tuple[str, float]],
    wishes: Wishes,
    at_ms: int,
    row_of: Mapping[str, int],
) -> Evidence:
    """What a request itself brings; of one that brings nothing, what a quiz has come to before."""
    found = seeds or wishes.at(at_ms)
    return Evidence.of(found, row_of) if found else NO_EVIDENCE
