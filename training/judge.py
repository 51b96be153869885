"""Judges ranked lists by what profiles did next: the one judge of `train` and `evaluate`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.features.event_columns import EventColumns
from libs.models.ranker import Ranker
from libs.models.top import top_rows
from training.evaluation import Interval, bootstrap, ndcg_at_k, recall_at_k
from training.labels import watching
from training.queries import Answered

NDCG_AT: Final = 10
RECALL_AT: Final = 100
# What every method is compared with; the other popularity is shown beside it.
BASELINE: Final = "popular, 30 days"
ALL_TIME: Final = "popular, all time"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One query: the rows that turned out relevant, and each method's rows, best first."""

    relevant: NDArray[np.int32]
    lists: Mapping[str, NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One method over all cases; `gain` is its NDCG less the baseline's, paired by case."""

    name: str
    ndcg: Interval
    recall: Interval
    gain: Interval | None  # None for the baseline itself


def judge(cases: Iterable[Case], seed: int) -> tuple[Judged, ...]:
    """Each method over all cases; every case has lists by the same methods, BASELINE among them."""
    ndcg: dict[str, list[float]] = {}
    recall: dict[str, list[float]] = {}
    for case in cases:
        for name, ranked in case.lists.items():
            ndcg.setdefault(name, []).append(ndcg_at_k(ranked, case.relevant, NDCG_AT))
            recall.setdefault(name, []).append(recall_at_k(ranked, case.relevant, RECALL_AT))
    return tuple(
        Judged(
            name=name,
            ndcg=bootstrap(np.array(ndcg[name]), seed),
            recall=bootstrap(np.array(recall[name]), seed),
            gain=None
            if name == BASELINE
            else bootstrap(np.array(ndcg[name]) - np.array(ndcg[BASELINE]), seed),
        )
        for name in ndcg
    )


def case_of(
    answer: Answered, ranker: Ranker | None, popularity: Mapping[str, NDArray[np.float64]]
) -> Case:
    """The ranking, if there is a ranker, retrieval alone and the popular, for one query."""
    rows = answer.retrieved.rows
    lists = {"retrieval": rows, **popular_lists(popularity, answer.new)}
    if ranker is not None:
        best = np.argsort(-ranker.score(answer.matrix), kind="stable")
        lists = {"ranking": rows[best], **lists}
    return Case(answer.asked.relevant, lists)


def popularity_before(
    events: EventColumns, title_rows: NDArray[np.int32], row_count: int, before_ms: int
) -> dict[str, NDArray[np.float64]]:
    """How much everyone watched each title (n,) before then: in the last 30 days, and ever."""
    return {
        name: watching(events, title_rows, row_count, from_ms, before_ms)
        for name, from_ms in ((BASELINE, before_ms - 30 * DAY_MS), (ALL_TIME, 0))
    }


def popular_lists(
    popularity: Mapping[str, NDArray[np.float64]], allowed: NDArray[np.bool_]
) -> dict[str, NDArray[np.int32]]:
    """The rows that were watched most, among those `allowed` (n,) for one query."""
    return {name: best_allowed(scores, allowed) for name, scores in popularity.items()}


def best_allowed(scores: NDArray[np.floating], allowed: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The rows (at most RECALL_AT) with the largest of `scores` (n,) where `allowed` (n,)."""
    rows = np.flatnonzero(allowed).astype(np.int32)
    return rows[top_rows(scores[rows].astype(np.float32), RECALL_AT)]
