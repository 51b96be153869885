import numpy as np
import pytest
from numpy.typing import NDArray

from training.evaluation import bootstrap, ndcg_at_k, recall_at_k


def rows(*values: int) -> NDArray[np.int32]:
    return np.array(values, dtype=np.int32)


@pytest.mark.parametrize(
    ("ranked", "relevant", "k", "expected"),
    [
        (rows(1, 2, 3), rows(1), 3, 1.0),
        (rows(1, 2, 3), rows(2), 3, 0.6309297535714575),  # 1 / log2(3)
        (rows(1, 2, 3), rows(3), 3, 0.5),  # 1 / log2(4)
        (rows(1, 2, 3), rows(3), 2, 0.0),
        # DCG 1 + 1/log2(4), ideal 1 + 1/log2(3)
        (rows(1, 2, 3), rows(1, 3), 3, 1.5 / 1.6309297535714575),
        # More relevant titles than places: a full page of hits is ideal.
        (rows(1, 2), rows(1, 2, 3, 4), 2, 1.0),
        (rows(1), rows(1, 2), 10, 1 / 1.6309297535714575),
        (rows(), rows(1), 10, 0.0),
        (rows(1), rows(), 10, 0.0),
    ],
)
def test_ndcg_equals_what_was_worked_out_by_hand(
    ranked: NDArray[np.int32], relevant: NDArray[np.int32], k: int, expected: float
) -> None:
    assert ndcg_at_k(ranked, relevant, k) == pytest.approx(expected, abs=1e-12)


def test_recall_is_the_share_of_the_relevant_that_was_found() -> None:
    assert recall_at_k(rows(1, 2, 3, 4), rows(2, 4, 9), 3) == pytest.approx(1 / 3)
    assert recall_at_k(rows(1, 2, 3, 4), rows(2, 4, 9), 4) == pytest.approx(2 / 3)
    assert recall_at_k(rows(1), rows(), 5) == 0


def test_the_bootstrap_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        interval = bootstrap(rng.normal(0.1, 1.0, 100), trial, resamples=300)
        covered += interval.low <= 0.1 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_bootstrap_is_the_same_for_the_same_seed() -> None:
    values = np.random.default_rng(1).random(50)
    assert bootstrap(values, 5) == bootstrap(values, 5)
    assert bootstrap(values, 5).mean == values.mean()


def test_an_interval_on_one_side_of_zero_excludes_it() -> None:
    assert bootstrap(np.full(20, 0.3), 1).excludes_zero
    assert bootstrap(np.full(20, -0.3), 1).excludes_zero
    assert not bootstrap(np.array([-1.0, 1.0] * 20), 1).excludes_zero
    assert not bootstrap(np.empty(0), 1).excludes_zero
