import numpy as np
import pytest
from numpy.typing import NDArray

from libs.models.fold_in import fold_in
from libs.models.retrieval_model import to_unit_length
from training.config import CollaborativeConfig
from training.retrieval_fit import (
    Histories,
    fit_factors,
    fit_retrieval,
    map_content,
    reduce_content,
)

CONFIG = CollaborativeConfig(factors=4, regularization=1.0, iterations=10, least_profiles=2)
GROUPS, EACH = 4, 10  # titles of a group are watched together


def grouped_histories(profile_count: int = 120, *, titles_each: int = EACH - 1) -> Histories:
    """Profiles watch six titles of one group; the last titles of each group are never watched."""
    rng = np.random.default_rng(1)
    histories = []
    for profile in range(profile_count):
        rows = (profile % GROUPS) * EACH + rng.choice(titles_each, 6, replace=False)
        histories.append((rows.astype(np.int32), np.ones(6, dtype=np.float32)))
    return Histories.of(histories)


def group_content() -> NDArray[np.float32]:
    groups = np.repeat(np.eye(GROUPS), EACH, axis=0)
    noise = np.random.default_rng(2).normal(0, 0.05, groups.shape)
    return to_unit_length((groups + noise).astype(np.float32))


IDS = tuple(f"t{row:02d}" for row in range(GROUPS * EACH))


def test_a_history_finds_its_own_group_and_the_cold_title_of_it() -> None:
    content = group_content()
    model = fit_retrieval(IDS, content, np.zeros(40, np.float32), grouped_histories(), CONFIG, 1)
    history = np.array([10, 11, 12], dtype=np.int32)
    taste = fold_in(model.vectors, model.implicit, history, np.ones(3, dtype=np.float32))
    scores = model.vectors @ taste
    best = np.argsort(-scores)[:EACH]
    assert set(best.tolist()) == set(range(10, 20))  # 19 has no event: it is placed by content


def test_the_same_seed_fits_the_same_bits_and_folding_in_repeats_the_user_step() -> None:
    histories = grouped_histories()
    one = fit_factors(histories, 40, CONFIG, 3)
    assert one.tobytes() == fit_factors(histories, 40, CONFIG, 3).tobytes()
    assert one.tobytes() != fit_factors(histories, 40, CONFIG, 4).tobytes()


def test_no_histories_leave_every_title_at_nothing() -> None:
    content = group_content()
    empty = Histories.of([])
    model = fit_retrieval(IDS, content, np.zeros(40, np.float32), empty, CONFIG, 1)
    assert np.isfinite(model.vectors).all()


def test_the_map_recovers_a_linear_relation() -> None:
    rng = np.random.default_rng(1)
    content = rng.standard_normal((200, 5)).astype(np.float32)
    truth = rng.standard_normal((5, 3))
    factors = (content @ truth + 0.5).astype(np.float32)
    is_warm = np.arange(200) < 150
    mapped = map_content(content, factors, is_warm, regularization=1e-6)
    np.testing.assert_allclose(mapped[150:], factors[150:], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dimensions", [3, 8, 50])
def test_reduced_content_has_unit_length_and_keeps_neighbours(dimensions: int) -> None:
    rng = np.random.default_rng(1)
    embeddings = to_unit_length(
        (rng.standard_normal((60, 3)) @ rng.standard_normal((3, 8))).astype(np.float32)
    )
    reduced = reduce_content(embeddings, dimensions)
    assert reduced.shape == (60, min(dimensions, 8))
    np.testing.assert_allclose(np.linalg.norm(reduced, axis=1), 1, rtol=1e-5)
    centred = to_unit_length(embeddings - embeddings.mean(axis=0))
    np.testing.assert_allclose(reduced @ reduced.T, centred @ centred.T, atol=1e-4)


def test_one_title_alone_has_finite_content() -> None:
    assert np.isfinite(reduce_content(np.ones((1, 4), dtype=np.float32), 2)).all()


def test_histories_are_flattened_in_order() -> None:
    flat = Histories.of(
        [
            (np.array([3, 1], dtype=np.int32), np.array([1, 2], dtype=np.float32)),
            (np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)),
            (np.array([2], dtype=np.int32), np.array([3], dtype=np.float32)),
        ]
    )
    assert flat.starts.tolist() == [0, 2, 2, 3]
    assert flat.rows.tolist() == [3, 1, 2]
    assert flat.weights.tolist() == [1, 2, 3]
