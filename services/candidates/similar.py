"""Titles near one title."""

import numpy as np
from numpy.typing import NDArray

from libs.faults import NotFound
from libs.models.retrieval import nearest
from services.candidates.index import Index


def similar_titles(
    index: Index, title_id: str, limit: int
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Ids (m,) and cosines (m,), nearest first, of titles that the catalogue still has.

    Raises NotFound for a title that the bundle does not know.
    """
    row = index.model.row_of.get(title_id)
    if row is None:
        raise NotFound("title", title_id)
    rows, similarities = nearest(index.model, row, index.recommendable, limit)
    title_ids = index.model.title_ids
    return tuple(title_ids[near] for near in rows.tolist()), similarities
