"""Fits the ranker: LightGBM on queries of past cuts, stopped by a later cut."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import lightgbm
import numpy as np
from numpy.typing import NDArray

from libs.features.ranking_matrix import FEATURE_NAMES
from training.config import RankerConfig
from training.queries import Answered

# What the pages show at first sight, and what is judged.
_JUDGED: Final = 10


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


def sampled_rows(
    answered: Iterable[Answered], config: RankerConfig, rng: np.random.Generator
) -> Rows:
    """All positives and an even sample of the rest, of each query.

    Queries none of whose positives were retrieved teach nothing and are left out.
    """
    matrices, labels, sizes = [], [], []
    for answer in answered:
        relevant = is_relevant(answer)
        if not relevant.any():
            continue
        kept = relevant.copy()
        rest = np.flatnonzero(~relevant)
        if len(rest) > config.negatives:
            rest = rng.choice(rest, config.negatives, replace=False)
        kept[rest] = True
        matrices.append(answer.matrix[kept])
        labels.append(relevant[kept].astype(np.int8))
        sizes.append(int(kept.sum()))
    if not sizes:
        return Rows.nothing()
    return Rows(np.concatenate(matrices), np.concatenate(labels), np.array(sizes, dtype=np.int32))


def is_relevant(answer: Answered) -> NDArray[np.bool_]:
    """Which candidates (m,) the profile went on to engage with."""
    return np.isin(answer.retrieved.rows, answer.asked.relevant)


def fit_trees(training: Rows, stopping: Rows, config: RankerConfig, seed: int) -> lightgbm.Booster:
    """Trees fitted on `training`, as many as `stopping` (a later time) finds good."""
    train_set = _dataset(training)
    return lightgbm.train(
        _parameters(config, seed),
        train_set,
        num_boost_round=config.most_trees,
        valid_sets=[_dataset(stopping, reference=train_set)],
        callbacks=[lightgbm.early_stopping(config.patience, verbose=False)],
    )


def refit_trees(rows: Rows, tree_count: int, config: RankerConfig, seed: int) -> lightgbm.Booster:
    """Trees fitted on all there is, with the number that was found good before."""
    return lightgbm.train(_parameters(config, seed), _dataset(rows), num_boost_round=tree_count)


def _dataset(rows: Rows, reference: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        rows.matrix,
        label=rows.labels,
        group=rows.sizes,
        feature_name=list(FEATURE_NAMES),
        reference=reference,
    )


def _parameters(config: RankerConfig, seed: int) -> dict[str, Any]:
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
        "num_threads": config.threads,
        "verbose": -1,
    }
