"""How near candidates are to the history in the two spaces of retrieval, and their provenance."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.features.feature import Feature, FeatureKind
from libs.features.request import SOURCE_NAMES, Request
from libs.features.title_record import TASTE_HALF_LIFE_MS

# The newest titles that candidates are compared with one by one.
_RECENT: Final = 5
# The titles that make up the mean taste in content space.
_TASTE: Final = 30
# Stands for "not proposed"; farther than any real rank.
_NO_RANK: Final = 5000.0

NEARNESS_FEATURES: Final = (
    Feature(
        "pair_recent_collaborative", "like one you had lately, by who watches", FeatureKind.ON_READ
    ),
    Feature("pair_recent_content", "like one you had lately, by its story", FeatureKind.ON_READ),
    Feature("pair_mean_collaborative", "like what you had lately", FeatureKind.ON_READ),
    Feature(
        "pair_taste_content",
        "the stories you like",
        FeatureKind.COUNTER,
        TASTE_HALF_LIFE_MS,
    ),
)
RETRIEVAL_FEATURES: Final = (
    Feature("retrieval_rank", "its place among the candidates"),
    Feature("retrieval_source_count", "proposed in several ways"),
    *(Feature(f"retrieval_rank_{one}", f"proposed as {one}") for one in SOURCE_NAMES),
    *(Feature(f"retrieval_score_{one}", f"proposed as {one}") for one in SOURCE_NAMES),
)


def nearness_values(request: Request) -> NDArray[np.float32]:
    """NEARNESS_FEATURES (4, n): cosines, the largest with the newest titles, then means."""
    taste, spaces, rows = request.taste, request.spaces, request.rows
    values = np.zeros((len(NEARNESS_FEATURES), len(rows)), np.float32)
    if len(taste.rows) == 0 or len(rows) == 0:
        return values
    newest = taste.rows[:_RECENT]
    # Dot products one by one: as a product of matrices their last bits would depend on the number
    # of threads and of rows.
    content = spaces.content.take(rows, axis=0)
    collaborative = spaces.collaborative.take(rows, axis=0)
    near = np.vecdot(spaces.collaborative[newest][:, None], collaborative)
    near.max(axis=0, out=values[0])
    near.mean(axis=0, out=values[2])
    np.vecdot(spaces.content[newest][:, None], content).max(axis=0, out=values[1])
    mean = np.einsum("hd,h->d", spaces.content[taste.rows[:_TASTE]], taste.shares[:_TASTE])
    length = max(float(np.sqrt(np.einsum("d,d->", mean, mean))), 1e-9)
    np.vecdot(content, mean / np.float32(length), out=values[3])
    return values


def retrieval_values(request: Request) -> NDArray[np.float32]:
    """RETRIEVAL_FEATURES, as (n, k)."""
    ranks = request.source_ranks
    count, sources = ranks.shape
    values = np.empty((count, len(RETRIEVAL_FEATURES)), np.float32)
    values[:, 0] = np.log1p(np.arange(count, dtype=np.float32))
    is_proposed = ranks >= 0
    values[:, 1] = np.einsum("ns->n", is_proposed.view(np.int8))
    logs = np.full(ranks.shape, _NO_RANK, np.float32)
    np.copyto(logs, ranks, where=is_proposed, casting="same_kind")
    values[:, 2 : 2 + sources] = np.log1p(logs, out=logs)
    values[:, 2 + sources :] = request.source_scores
    return values
