"""Fits the ranker: LightGBM on queries of past cuts, stopped by a later cut."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import lightgbm
import numpy as np
from numpy.typing import NDArray

from libs.features.ranking_matrix import FEATURE_NAMES
from training.config import RankerConfig, TreesConfig
from training.queries import Answered

# What the pages show at first sight, and what is judged.
_JUDGED: Final = 10
_STOPPING: Final = "stopping"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Training rows of q queries, one after the other."""

    matrix: NDArray[np.float32]  # (m, f)
    labels: NDArray[np.int8]  # (m,)
    sizes: NDArray[np.int32]  # (q,)

    @classmethod
    def join(cls, parts: Iterable["Rows"]) -> "Rows":
        """All parts as one."""
        parts = [*parts, cls.nothing()]
        return cls(
            np.concatenate([part.matrix for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.sizes for part in parts]),
        )

    @classmethod
    def nothing(cls) -> "Rows":
        """No rows."""
        return cls(
            np.empty((0, len(FEATURE_NAMES)), dtype=np.float32),
            np.empty(0, dtype=np.int8),
            np.empty(0, dtype=np.int32),
        )


def rows_of(answered: Iterable[Answered]) -> Rows:
    """Every candidate of each query; queries none of whose positives were retrieved are left out.

    There is nothing to be learnt from them, nor is one ranker better at them than another.
    """
    matrices, labels, sizes = [], [], []
    for answer in answered:
        relevant = is_relevant(answer)
        if relevant.any():
            matrices.append(answer.matrix)
            labels.append(relevant.astype(np.int8))
            sizes.append(len(relevant))
    if not sizes:
        return Rows.nothing()
    return Rows(np.concatenate(matrices), np.concatenate(labels), np.array(sizes, dtype=np.int32))


def sampled(rows: Rows, negatives: int, rng: np.random.Generator) -> Rows:
    """All positives and an even sample of `negatives` of the rest, of each query."""
    kept = rows.labels > 0
    sizes = []
    for end, size in zip(np.cumsum(rows.sizes), rows.sizes, strict=True):
        query = slice(end - size, end)
        rest = np.flatnonzero(~kept[query])
        if len(rest) > negatives:
            rest = rng.choice(rest, negatives, replace=False)
        kept[query][rest] = True
        sizes.append(int(kept[query].sum()))
    return Rows(rows.matrix[kept], rows.labels[kept], np.array(sizes, dtype=np.int32))


def is_relevant(answer: Answered) -> NDArray[np.bool_]:
    """Which candidates (m,) the profile went on to engage with."""
    return np.isin(answer.retrieved.rows, answer.asked.relevant)


@dataclass(frozen=True, slots=True, eq=False)
class FittedTrees:
    """Trees and the settings that they, and how many of them, were found good with."""

    booster: lightgbm.Booster
    config: TreesConfig

    @property
    def count(self) -> int:
        """How many trees do best at the slice that they were stopped by; at least one."""
        return max(self.booster.best_iteration, 1)


def fit_trees(training: Rows, stopping: Rows, config: RankerConfig, seed: int) -> FittedTrees:
    """Trees fitted on `training`, with the settings and as many as `stopping` finds good.

    `stopping` is of a later time and holds every candidate: among a sample of them the wrong
    settings look better (simulator, NDCG@10 of lambdarank and rank_xendcg: .649 and .644 among 100
    sampled negatives, .325 and .342 among all titles).
    """
    fitted = [FittedTrees(_fit(training, stopping, one, config, seed), one) for one in config.trees]
    return max(fitted, key=_stopping_ndcg)  # the first of equals


def refit_trees(rows: Rows, fitted: FittedTrees, config: RankerConfig, seed: int) -> FittedTrees:
    """Trees fitted on all there is, with the settings and the number that were found good."""
    parameters = _parameters(fitted.config, config.threads, seed)
    booster = lightgbm.train(parameters, _dataset(rows), num_boost_round=fitted.count)
    return FittedTrees(booster, fitted.config)


def _fit(
    training: Rows, stopping: Rows, trees: TreesConfig, config: RankerConfig, seed: int
) -> lightgbm.Booster:
    train_set = _dataset(training)
    return lightgbm.train(
        _parameters(trees, config.threads, seed),
        train_set,
        num_boost_round=config.most_trees,
        valid_sets=[_dataset(stopping, reference=train_set)],
        valid_names=[_STOPPING],
        callbacks=[lightgbm.early_stopping(config.patience, verbose=False)],
    )


def _stopping_ndcg(fitted: FittedTrees) -> float:
    return float(fitted.booster.best_score[_STOPPING][f"ndcg@{_JUDGED}"])


def _dataset(rows: Rows, reference: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        rows.matrix,
        label=rows.labels,
        group=rows.sizes,
        feature_name=list(FEATURE_NAMES),
        reference=reference,
    )


def _parameters(config: TreesConfig, threads: int, seed: int) -> dict[str, Any]:
    return {
        "objective": config.objective,
        "metric": "ndcg",
        "eval_at": [_JUDGED],
        "lambdarank_truncation_level": 2 * _JUDGED,
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": config.least_rows_in_leaf,
        "feature_fraction": 0.7,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbose": -1,
    }
