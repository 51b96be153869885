from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from libs.features.counters import (
    FOREVER,
    Counters,
    add,
    decay,
    decode_counters,
    empty,
    encode_counters,
)

HALF_LIVES_MS = np.array([1_000.0, 5_000.0, FOREVER])

additions = st.lists(
    st.tuples(st.lists(st.floats(0, 10), min_size=3, max_size=3), st.integers(0, 100_000)),
    max_size=8,
)


def total(some: list[tuple[list[float], int]]) -> Counters:
    counters = empty(3)
    for values, at_ms in some:
        counters = add(counters, np.array(values), at_ms, HALF_LIVES_MS)
    return counters


@given(additions, st.randoms(use_true_random=False))
def test_adding_in_any_order_gives_the_same(
    some: list[tuple[list[float], int]], random: Random
) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    one, other = total(some), total(shuffled)
    assert one.at_ms == other.at_ms
    np.testing.assert_allclose(one.values, other.values, rtol=1e-9, atol=1e-300)


def test_a_value_halves_with_every_half_life() -> None:
    values = decay(np.array([8.0, 8.0, 8.0]), 0, 5_000, HALF_LIVES_MS)
    np.testing.assert_allclose(values, [8 / 32, 4.0, 8.0])


def test_each_row_decays_from_its_own_time() -> None:
    values = decay(np.ones((2, 3)), np.array([0, 4_000]), 5_000, HALF_LIVES_MS)
    np.testing.assert_allclose(values[:, 0], [1 / 32, 1 / 2])


def test_a_value_never_grows() -> None:
    np.testing.assert_array_equal(decay(np.ones(3), 9_000, 5_000, HALF_LIVES_MS), np.ones(3))


def test_counters_survive_their_bytes() -> None:
    counters = Counters(np.array([0.1, 2.0]), 1_700_000_000_000)
    found = decode_counters(encode_counters(counters))
    assert found.at_ms == counters.at_ms
    np.testing.assert_array_equal(found.values, counters.values)
