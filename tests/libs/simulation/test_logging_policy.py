import numpy as np
import pytest

from libs.simulation.logging_policy import draw_slate


def test_a_propensity_is_the_softmax_over_what_was_not_placed_before() -> None:
    scores = np.log(np.array([5.0, 3.0, 1.0, 1.0]))
    slate = draw_slate(scores, 3, np.random.default_rng(3))

    left, weights = 10.0, np.exp(scores)
    for row, propensity in zip(slate.rows, slate.propensities, strict=True):
        assert propensity == pytest.approx(weights[row] / left)
        left -= weights[row]


def test_titles_come_first_as_often_as_their_propensity_says() -> None:
    scores = np.log(np.array([5.0, 3.0, 1.0, 1.0]))
    rng = np.random.default_rng(5)
    firsts = [int(draw_slate(scores, 2, rng).rows[0]) for _ in range(4_000)]

    shares = np.bincount(firsts, minlength=4) / len(firsts)
    assert shares == pytest.approx([0.5, 0.3, 0.1, 0.1], abs=0.03)


def test_what_is_not_available_is_never_drawn() -> None:
    scores = np.array([-np.inf, 1.0, -np.inf, 0.0])
    slate = draw_slate(scores, 4, np.random.default_rng(1))

    assert sorted(slate.rows.tolist()) == [1, 3]
    assert slate.propensities[-1] == 1.0


def test_nothing_available_gives_an_empty_slate() -> None:
    slate = draw_slate(np.full(3, -np.inf), 4, np.random.default_rng(1))

    assert slate.rows.size == slate.propensities.size == 0


def test_propensities_stay_exact_where_one_title_holds_nearly_all_weight() -> None:
    scores = np.array([60.0, 0.0, 0.0, 0.0])
    slate = draw_slate(scores, 4, np.random.default_rng(2))

    assert slate.rows[0] == 0
    assert slate.propensities[1:] == pytest.approx([1 / 3, 1 / 2, 1.0])
