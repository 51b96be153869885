import numpy as np
import pytest
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.domain.viewing import UNKNOWN_CONTEXT
from libs.features.catalogue_columns import from_titles
from libs.features.event_columns import from_events
from libs.features.profile_state import EMPTY
from libs.features.profile_view import resolve
from libs.features.ranking_matrix import FEATURE_NAMES, SOURCE_NAMES, Viewer
from libs.models.retrieval import Retrieved
from tests.made_bundle import catalogue, ranker, retrieval
from tests.made_events import START_MS, watch
from training.judge import (
    ALL_TIME,
    BASELINE,
    Case,
    case_of,
    judge,
    popular_lists,
    popularity_before,
)
from training.labels import row_of_titles
from training.queries import Answered
from training.snapshots import Asked

SECOND_PLACE = 0.6309297535714575  # 1 / log2(3)


def rows(*values: int) -> NDArray[np.int32]:
    return np.array(values, dtype=np.int32)


def test_the_judge_equals_what_was_worked_out_by_hand() -> None:
    cases = [
        Case(rows(1), {"ranking": rows(1, 2), BASELINE: rows(2, 1)}),
        Case(rows(2), {"ranking": rows(1, 2), BASELINE: rows(0, 1)}),
    ]
    ranking, baseline = judge(cases, seed=1)
    assert (ranking.name, baseline.name) == ("ranking", BASELINE)
    assert ranking.ndcg.mean == pytest.approx((1 + SECOND_PLACE) / 2)
    assert baseline.ndcg.mean == pytest.approx(SECOND_PLACE / 2)
    assert (ranking.recall.mean, baseline.recall.mean) == (1.0, 0.5)
    assert ranking.gain is not None
    # Paired: 1 − .63 for the one and .63 − 0 for the other lie between any two resamples.
    assert ranking.gain.mean == pytest.approx(0.5)
    assert ranking.gain.low == pytest.approx(1 - SECOND_PLACE)
    assert ranking.gain.high == pytest.approx(SECOND_PLACE)
    assert baseline.gain is None


def test_only_the_first_ten_count_for_ndcg_and_the_first_hundred_for_recall() -> None:
    order = np.arange(200, dtype=np.int32)
    (judged,) = judge([Case(rows(10, 99, 100), {BASELINE: order})], seed=1)
    assert judged.ndcg.mean == 0
    assert judged.recall.mean == pytest.approx(2 / 3)


def test_nobody_to_judge_is_no_method() -> None:
    assert judge([], seed=1) == ()


def test_popularity_counts_thirty_days_up_to_the_cut_or_all_time() -> None:
    cut_ms = START_MS + 100 * DAY_MS
    columns = from_events(
        [
            watch("a", cut_ms - 31 * DAY_MS, title_id="title0"),
            watch("b", cut_ms - 30 * DAY_MS, title_id="title1"),
            watch("c", cut_ms - 2 * DAY_MS, title_id="title1"),
            watch("d", cut_ms - 1, title_id="title2"),
            watch("e", cut_ms, title_id="title2"),
        ]
    )
    title_rows = row_of_titles(columns, {"title0": 0, "title1": 1, "title2": 2})
    found = popularity_before(columns, title_rows, 3, cut_ms)
    np.testing.assert_allclose(found[BASELINE], [0, 1, 0.5])
    np.testing.assert_allclose(found[ALL_TIME], [0.5, 1, 0.5])


def test_the_popular_are_only_of_what_is_allowed() -> None:
    scores = {BASELINE: np.array([1.0, 4.0, 2.0, 3.0])}
    allowed = np.array([True, False, True, True])
    assert popular_lists(scores, allowed)[BASELINE].tolist() == [3, 2, 0]


def answered(new: NDArray[np.bool_]) -> Answered:
    """Five candidates of a bundle of sixty, with random features; 17 turned out relevant."""
    columns = from_titles(catalogue().values(), retrieval().title_ids)
    viewer = Viewer(None, resolve(EMPTY, columns), EMPTY.counters, UNKNOWN_CONTEXT, START_MS)
    candidates = rows(3, 17, 5, 40, 8)
    ranks = np.zeros((5, len(SOURCE_NAMES)), np.int32)
    retrieved = Retrieved(candidates, SOURCE_NAMES, ranks, ranks.astype(np.float32))
    matrix = np.random.default_rng(4).normal(size=(5, len(FEATURE_NAMES))).astype(np.float32)
    return Answered(Asked("profile0", viewer, rows(17)), new, retrieved, matrix)


def test_a_case_ranks_by_the_ranker_and_keeps_retrievals_order_beside_it() -> None:
    answer = answered(np.ones(60, np.bool_))
    trees = ranker()
    case = case_of(answer, trees, {BASELINE: np.arange(60.0)})
    scores = dict(
        zip(answer.retrieved.rows.tolist(), trees.score(answer.matrix).tolist(), strict=True)
    )
    assert case.lists["ranking"].tolist() == sorted(scores, key=lambda row: -scores[row])
    assert case.lists["ranking"].tolist() != [3, 17, 5, 40, 8]
    assert case.lists["retrieval"].tolist() == [3, 17, 5, 40, 8]
    assert case.relevant.tolist() == [17]


def test_without_a_ranker_nothing_is_called_ranking() -> None:
    case = case_of(answered(np.ones(60, np.bool_)), None, {BASELINE: np.arange(60.0)})
    assert set(case.lists) == {"retrieval", BASELINE}


def test_the_baseline_never_recommends_what_is_not_new() -> None:
    new = np.ones(60, np.bool_)
    new[[59, 57]] = False
    case = case_of(answered(new), None, {BASELINE: np.arange(60.0)})
    assert case.lists[BASELINE].tolist() == [58, *range(56, -1, -1)]
