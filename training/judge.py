"""Judges rankings of past queries against what the profiles went on to watch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.models.ranker import Ranker
from libs.models.top import top_rows
from training.evaluation import Interval, bootstrap, ndcg_at_k, recall_at_k
from training.queries import Answered

NDCG_AT: Final = 10
RECALL_AT: Final = 100


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure over profiles."""

    name: str
    value: Interval


def judge(
    answered: Iterable[Answered],
    ranker: Ranker | None,
    baselines: Mapping[str, NDArray[np.float64]],
    seed: int,
) -> tuple[Metric, ...]:
    """NDCG and recall of the ranking, of retrieval alone and of `baselines`, and the differences.

    A baseline is a score (n,) for every title, the same for everyone, among what each profile
    could have been shown. Differences are paired by profile, the ranking less the other.
    """
    scores: dict[str, list[float]] = {}
    for answer in answered:
        for name, ranked in _rankings(answer, ranker, baselines).items():
            relevant = answer.asked.relevant
            scores.setdefault(f"ndcg@{NDCG_AT} {name}", []).append(
                ndcg_at_k(ranked, relevant, NDCG_AT)
            )
            scores.setdefault(f"recall@{RECALL_AT} {name}", []).append(
                recall_at_k(ranked, relevant, RECALL_AT)
            )
    means = [Metric(name, bootstrap(np.array(each), seed)) for name, each in scores.items()]
    ranking = f"ndcg@{NDCG_AT} ranking"
    differences = [
        Metric(
            f"{ranking} less {name.removeprefix(f'ndcg@{NDCG_AT} ')}",
            bootstrap(np.array(scores[ranking]) - np.array(each), seed),
        )
        for name, each in scores.items()
        if name.startswith("ndcg") and name != ranking
    ]
    return (*means, *differences)


def _rankings(
    answer: Answered, ranker: Ranker | None, baselines: Mapping[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.int32]]:
    rows = answer.retrieved.rows
    rankings = {"ranking": rows, "retrieval": rows}
    if ranker is not None:
        rankings["ranking"] = rows[np.argsort(-ranker.score(answer.matrix), kind="stable")]
    allowed = np.flatnonzero(answer.new).astype(np.int32)
    for name, score in baselines.items():
        rankings[name] = allowed[top_rows(score[allowed].astype(np.float32), RECALL_AT)]
    return rankings
