"""Answers as messages."""

import numpy as np
import pytest

from services.ranking.recommendation import Recommendation
from services.ranking.servicer import encode

NAMES = ("similar", "collaborative", "popular")


def answer(ranks: list[list[int]]) -> Recommendation:
    return Recommendation(
        page_id="page",
        title_ids=tuple(f"t{place}" for place in range(len(ranks))),
        scores=np.arange(len(ranks), dtype=np.float32),
        source_names=NAMES,
        source_ranks=np.array(ranks, np.int32).reshape(-1, len(NAMES)),
        policy="policy",
        model_version="",
        index_version="",
        trained_until_ms=0,
        degraded=(),
    )


@pytest.mark.parametrize("ranks", [[], [[-1, -1, -1]], [[0, -1, 7], [-1, 3, -1], [5, -1, 0]]])
def test_each_title_names_the_sources_that_proposed_it(ranks: list[list[int]]) -> None:
    told = [list(one.source_names) for one in encode(answer(ranks)).sources]
    assert told == [
        [name for name, rank in zip(NAMES, of_title, strict=True) if rank >= 0]
        for of_title in ranks
    ]
