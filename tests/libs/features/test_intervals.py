from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from libs.features.intervals import EMPTY, PREFIX_GAP_MS, length_ms, prefix_ms, unite

pairs = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), max_size=12)


def seconds(some: list[list[int]]) -> set[int]:
    """What is covered, second by second: the slow definition."""
    return {second for start, end in some for second in range(start, end)}


def united(some: list[list[int]]) -> NDArray[np.int64]:
    intervals = EMPTY
    for pair in some:
        intervals = unite(intervals, np.array([pair], np.int64))
    return intervals


@given(pairs)
def test_the_union_covers_what_any_interval_covers(some: list[list[int]]) -> None:
    intervals = united(some)
    assert seconds(intervals.tolist()) == seconds(some)
    assert length_ms(intervals) == len(seconds(some))


@given(pairs)
def test_the_union_is_sorted_and_nothing_touches(some: list[list[int]]) -> None:
    edges = united(some).ravel()
    assert (np.diff(edges) > 0).all()


@given(pairs, st.randoms(use_true_random=False))
def test_the_union_does_not_depend_on_order_or_repetition(
    some: list[list[int]], random: Random
) -> None:
    shuffled = [*some, *some]
    random.shuffle(shuffled)
    np.testing.assert_array_equal(united(some), united(shuffled))


def test_the_prefix_bridges_a_second_and_no_more() -> None:
    gap = PREFIX_GAP_MS
    assert prefix_ms(np.array([[gap, 5_000], [5_000 + gap, 9_000]])) == 9_000
    assert prefix_ms(np.array([[0, 5_000], [5_001 + gap, 9_000]])) == 5_000
    assert prefix_ms(np.array([[gap + 1, 9_000]])) == 0
    assert prefix_ms(EMPTY) == 0
