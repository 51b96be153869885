"""Chooses the settings of iALS by how well retrieval alone answers the queries of a past cut."""

from collections.abc import Callable, Sequence

import numpy as np

from libs.models.retrieval_model import RetrievalModel
from training.config import CollaborativeConfig
from training.evaluation import ndcg_at_k
from training.queries import Moment
from training.snapshots import Asked

_JUDGED = 10


def choose(
    configs: Sequence[CollaborativeConfig],
    fit: Callable[[CollaborativeConfig], RetrievalModel],
    moment_of: Callable[[RetrievalModel], Moment],
    queries: Sequence[Asked],
) -> CollaborativeConfig:
    """The one of `configs` with the best mean NDCG@10; the first of equals, or without queries.

    `fit` must see nothing after the time of the queries.
    """
    if len(configs) == 1 or not queries:
        return configs[0]
    means = []
    for config in configs:
        moment = moment_of(fit(config))
        found = [moment.retrieved(asked, _JUDGED).rows for asked in queries]
        ndcg = [
            ndcg_at_k(rows, asked.relevant, _JUDGED)
            for rows, asked in zip(found, queries, strict=True)
        ]
        means.append(float(np.mean(ndcg)))
    return configs[means.index(max(means))]
