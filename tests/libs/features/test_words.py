import numpy as np
import pytest

from libs.features.words import words

TAGS = (("slow", "rain"), ("slow",), ("rain", "rain", "noir"), (), ("noir", "alone"))


def test_a_taste_is_near_to_what_shares_its_words_and_nearer_by_rarer_ones() -> None:
    some = words((("a", "b"), ("a",), ("b",), ("b",), ("c",)))
    near = some.affinity(
        some.taste(np.array([0], np.int32), np.array([1.0], np.float32)),
        np.arange(5, dtype=np.int32),
    )
    assert near[0] == pytest.approx(1.0)
    assert near[1] > near[2] == near[3] > 0  # two titles have a, three have b
    assert near[4] == 0


def test_what_one_title_alone_has_says_nothing() -> None:
    some = words(TAGS)
    assert some.names == ("noir", "rain", "slow")
    lengths = np.linalg.norm(some.weights, axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 0, 1], rtol=1e-6)


def test_without_words_nothing_is_near() -> None:
    some = words(((), ()))
    rows = np.arange(2, dtype=np.int32)
    taste = some.taste(rows, np.array([0.5, 0.5], np.float32))
    assert some.affinity(taste, rows).tolist() == [0, 0]


def test_a_title_keeps_its_rarest_words() -> None:
    common = [f"common{place}" for place in range(8)]
    some = words(([*common, "rare"], common, ["rare"], *[common] * 8))
    taste = some.taste(np.array([0], np.int32), np.array([1.0], np.float32))
    near = some.affinity(taste, np.arange(11, dtype=np.int32))
    assert some.codes.shape == (11, 8)
    assert near[2] > near[1] > 0
