import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from libs.models.fold_in import Implicit, fold_in


def make_implicit(vectors: np.ndarray, *, alpha: float = 10.0) -> Implicit:
    exact = vectors.astype(np.float64)
    return Implicit(gram=exact.T @ exact, regularization=0.5, alpha=alpha)


def test_solves_the_user_step_of_ials() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((30, 5)).astype(np.float32)
    rows = np.array([3, 9, 20], dtype=np.int32)
    weights = np.array([1.0, 0.3, 2.0], dtype=np.float32)
    confidence = np.ones(30)
    confidence[rows] += 10.0 * weights
    exact = vectors.astype(np.float64)
    preference = np.isin(np.arange(30), rows).astype(np.float64)
    # The minimum of sum c (p - x.y)^2 + reg |x|^2, written out over all titles.
    left = exact.T @ (confidence[:, None] * exact) + 0.5 * np.eye(5)
    expected = np.linalg.solve(left, exact.T @ (confidence * preference))
    found = fold_in(vectors, make_implicit(vectors), rows, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.dtype == np.float32


def test_an_empty_history_is_zeros() -> None:
    vectors = np.ones((3, 2), dtype=np.float32)
    nothing = np.empty(0, dtype=np.int32)
    found = fold_in(vectors, make_implicit(vectors), nothing, nothing.astype(np.float32))
    assert found.tolist() == [0, 0]


@pytest.mark.parametrize("length", [1, 63, 64, 65, 300])
def test_the_bits_do_not_depend_on_the_number_of_threads(length: int) -> None:
    rng = np.random.default_rng(length)
    vectors = rng.standard_normal((400, 64)).astype(np.float32)
    rows = rng.permutation(400)[:length].astype(np.int32)
    weights = rng.random(length).astype(np.float32)
    implicit = make_implicit(vectors)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(fold_in(vectors, implicit, rows, weights).tobytes())
    assert found[0] == found[1]
