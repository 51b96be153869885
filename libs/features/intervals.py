"""Watched intervals: sets of media time as sorted, disjoint [from, to) pairs.

A set grows by union alone, so it depends neither on the order of events nor on repetition.

An event adds at most one pair, of 16 bytes, and rewrites the whole set. Of reports in whole seconds
n seconds of media hold at most n / 2 pairs: two hours, every other second skipped, are 58 kB and
1 ms an event. Only what touches joins: joining also neighbours a moment apart
would not depend on the order either, but would count what was skipped as watched.
"""

from bisect import bisect_left, bisect_right
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Clients report whole seconds, so neighbours may miss each other by less than one.
PREFIX_GAP_MS: Final = 1_000

EMPTY: Final[NDArray[np.int64]] = np.zeros((0, 2), np.int64)


def unite(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """The union (m, 2), sorted and disjoint, of two sets (·, 2); touching neighbours join."""
    edges: list[int] = a.ravel().tolist()
    for from_ms, to_ms in b.tolist():
        insert(edges, from_ms, to_ms)
    return np.array(edges, np.int64).reshape(-1, 2)


def insert(edges: list[int], from_ms: int, to_ms: int) -> None:
    """Unite `edges`, the flat ascending list from, to, from, to, …, in place with one interval."""
    if from_ms >= to_ms:
        return
    # An even index is outside every interval of the set, an odd one inside.
    first = bisect_left(edges, from_ms)
    last = bisect_right(edges, to_ms)
    start = [] if first % 2 else [from_ms]
    edges[first:last] = start if last % 2 else [*start, to_ms]


def length_ms(intervals: NDArray[np.int64]) -> int:
    """How much media time the set (m, 2) covers."""
    return edges_length_ms(intervals.ravel().tolist())


def prefix_ms(intervals: NDArray[np.int64]) -> int:
    """Where the contiguous part from 0 of the set (m, 2) ends; gaps ≤ PREFIX_GAP_MS are bridged."""
    return edges_prefix_ms(intervals.ravel().tolist())


def edges_length_ms(edges: list[int]) -> int:
    """As `length_ms`, of the flat list."""
    return sum(edges[1::2]) - sum(edges[::2])


def edges_prefix_ms(edges: list[int]) -> int:
    """As `prefix_ms`, of the flat list."""
    end_ms = 0
    for from_ms, to_ms in zip(edges[::2], edges[1::2], strict=True):
        if from_ms > end_ms + PREFIX_GAP_MS:
            break
        end_ms = to_ms
    return end_ms
