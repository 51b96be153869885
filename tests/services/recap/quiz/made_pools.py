"""Pools over the made catalogue."""

import numpy as np

from services.recap.quiz.pool import Pool
from services.recap.quiz.title_traits import TitleTraits
from tests.made_titles import make_titles


def make_pool(count: int = 120, *, with_moods: bool = True, popularity: bool = True) -> Pool:
    """The first `count` titles, the earlier the likelier."""
    titles = make_titles(count, with_moods=with_moods)
    scores = -np.arange(count, dtype=np.float64)
    return Pool.of(
        TitleTraits.of(titles),
        [title.title_id for title in titles],
        scores,
        popularity=scores if popularity else None,
    )
