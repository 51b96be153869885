"""The ranker's features of one request: the one definition, for training and for serving.

Each group of columns is a table of features, each with its name, its meaning and its formula side
by side: a row more in a table is a column more here, in training and in explanations.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.features.catalogue_columns import CatalogueColumns
from libs.features.context_features import CONTEXT_FEATURES
from libs.features.feature import Feature
from libs.features.history_features import HISTORY_FEATURES, history_values
from libs.features.pair_features import PAIR_FEATURES
from libs.features.profile_features import PROFILE_FEATURES, profile_values
from libs.features.request import SOURCE_NAMES, Request, Spaces, Viewer
from libs.features.space_features import (
    NEARNESS_FEATURES,
    RETRIEVAL_FEATURES,
    nearness_values,
    retrieval_values,
)
from libs.features.title_block import TITLE_FEATURES, TitleBlock

__all__ = ["FEATURES", "FEATURE_NAMES", "SOURCE_NAMES", "Spaces", "Viewer", "assemble"]

# Every column of the matrix, in its order.
FEATURES: Final[tuple[Feature, ...]] = (
    *(one.feature for one in TITLE_FEATURES),
    *(one.feature for one in PAIR_FEATURES),
    *(one.feature for one in HISTORY_FEATURES),
    *NEARNESS_FEATURES,
    *RETRIEVAL_FEATURES,
    *(one.feature for one in PROFILE_FEATURES),
    *(one.feature for one in CONTEXT_FEATURES),
)
# A ranker names the same or is refused.
FEATURE_NAMES: Final = tuple(feature.name for feature in FEATURES)

_PAIR: Final = len(TITLE_FEATURES)
_HISTORY: Final = _PAIR + len(PAIR_FEATURES)
_NEARNESS: Final = _HISTORY + len(HISTORY_FEATURES)
_RETRIEVAL: Final = _NEARNESS + len(NEARNESS_FEATURES)
_VIEWER: Final = _RETRIEVAL + len(RETRIEVAL_FEATURES)


def assemble(
    viewer: Viewer,
    columns: CatalogueColumns,
    block: TitleBlock,
    spaces: Spaces,
    *,
    rows: NDArray[np.int32],
    source_ranks: NDArray[np.int32],
    source_scores: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The matrix (n, f) of FEATURES for the candidates `rows` (n,) in retrieval's order.

    `source_ranks` and `source_scores` (n, s) are as retrieved. Always finite.
    """
    request = Request.of(
        viewer,
        columns,
        block,
        spaces,
        rows=rows,
        source_ranks=source_ranks,
        source_scores=source_scores,
    )
    # What is made column by column is collected as rows, and turned once.
    own = np.empty((_RETRIEVAL - _PAIR, len(rows)), np.float32)
    for place, one in enumerate(PAIR_FEATURES):
        own[place] = one.of(request)
    own[_HISTORY - _PAIR : _NEARNESS - _PAIR] = history_values(request)
    own[_NEARNESS - _PAIR :] = nearness_values(request)
    matrix = np.empty((len(rows), len(FEATURES)), np.float32)
    matrix[:, :_PAIR] = block.values.take(rows, axis=0)
    matrix[:, _PAIR:_RETRIEVAL] = own.T
    matrix[:, _RETRIEVAL:_VIEWER] = retrieval_values(request)
    same = [*profile_values(request), *(one.of(request) for one in CONTEXT_FEATURES)]
    matrix[:, _VIEWER:] = np.array(same, np.float32)
    return matrix
