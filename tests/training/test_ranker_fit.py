import numpy as np
import pytest
from numpy.typing import NDArray

from libs.features.ranking_matrix import FEATURE_NAMES
from training.config import RankerConfig, TreesConfig
from training.ranker_fit import Rows, fit_trees, refit_trees, sampled

ROWS_EACH = 40


def make_rows(query_count: int, seed: int, *, telling: int = 0) -> Rows:
    """Queries in which a larger value of the feature at `telling` means relevant."""
    rng = np.random.default_rng(seed)
    matrix = rng.random((query_count * ROWS_EACH, len(FEATURE_NAMES))).astype(np.float32)
    labels = (matrix[:, telling] > 0.9).astype(np.int8)
    labels[::ROWS_EACH] = 1
    return Rows(matrix, labels, np.full(query_count, ROWS_EACH, np.int32))


def per_query(rows: Rows) -> list[NDArray[np.int8]]:
    return np.split(rows.labels, np.cumsum(rows.sizes)[:-1])


def test_a_sample_keeps_all_positives_and_as_many_others_as_it_may() -> None:
    rows = make_rows(30, 1)
    kept = sampled(rows, 7, np.random.default_rng(2))
    for before, after in zip(per_query(rows), per_query(kept), strict=True):
        assert after.sum() == before.sum()
        assert (after == 0).sum() == 7
    whole = {row.tobytes() for row in rows.matrix}
    assert all(row.tobytes() in whole for row in kept.matrix)


def test_a_sample_of_few_is_all_of_them_in_order() -> None:
    rows = make_rows(5, 1)
    kept = sampled(rows, ROWS_EACH, np.random.default_rng(2))
    np.testing.assert_array_equal(kept.matrix, rows.matrix)
    np.testing.assert_array_equal(kept.sizes, rows.sizes)


def test_a_sample_of_nothing_is_nothing() -> None:
    assert len(sampled(Rows.nothing(), 5, np.random.default_rng(1)).labels) == 0


@pytest.mark.parametrize("good_first", [True, False])
def test_takes_the_settings_that_the_later_slice_finds_better(good_first: bool) -> None:
    good = TreesConfig(least_rows_in_leaf=20)
    unable = TreesConfig(least_rows_in_leaf=10**6)  # cannot split at all
    trees = (good, unable) if good_first else (unable, good)
    config = RankerConfig(trees=trees, most_trees=10)
    fitted = fit_trees(make_rows(60, 1), make_rows(30, 2), config, 1)
    assert fitted.config is good
    assert 1 <= fitted.count <= 10


def test_the_refit_has_the_settings_and_the_number_that_were_found() -> None:
    config = RankerConfig(trees=(TreesConfig(least_rows_in_leaf=20, leaves=4),), most_trees=12)
    rows = make_rows(60, 1)
    fitted = fit_trees(rows, make_rows(30, 2), config, 1)
    again = refit_trees(make_rows(60, 3), fitted, config, 1)
    assert again.config is fitted.config
    assert again.booster.num_trees() == fitted.count
