"""A small catalogue and a small bundle of it, for tests that need both."""

import dataclasses
import datetime as dt

import lightgbm
import numpy as np

from libs.domain.title import LicenceWindow, Title, TitleKind
from libs.features.ranking_matrix import FEATURE_NAMES
from libs.models.fold_in import Implicit
from libs.models.ranker import Ranker
from libs.models.retrieval_model import RetrievalModel, to_unit_length

NOW_MS = 1_760_000_000_000
TITLE_COUNT = 60
VERSION = "20251009T085320000Z-00000001"

ADULT, ELSEWHERE, EXPIRED, SERIES = "t56", "t57", "t58", "t59"


def movie(number: int) -> Title:
    """A film for everybody, everywhere."""
    return Title(
        f"t{number:02d}",
        TitleKind.MOVIE,
        f"Film {number}",
        duration_ms=6_000_000,
        release_date=dt.date(2020, 1, 1),
        language="en",
        genres=("Drama",) if number % 2 else ("Comedy",),
    )


def catalogue(prefix: str = "") -> dict[str, Title]:
    """TITLE_COUNT titles that can be recommended, some of them not to everybody; one episode.

    Every id begins with `prefix`.
    """
    titles = [
        *(movie(number) for number in range(TITLE_COUNT - 4)),
        Title(ADULT, TitleKind.MOVIE, "For adults", maturity_years=18),
        Title(ELSEWHERE, TitleKind.MOVIE, "At home", licence_windows=(LicenceWindow("PT"),)),
        Title(
            EXPIRED, TitleKind.MOVIE, "Gone", licence_windows=(LicenceWindow(end_ms=NOW_MS - 1),)
        ),
        Title(SERIES, TitleKind.SERIES, "A series"),
        Title("e1", TitleKind.EPISODE, "Its first", parent_id=SERIES, duration_ms=1_800_000),
    ]
    named = [
        dataclasses.replace(
            title,
            title_id=prefix + title.title_id,
            parent_id=title.parent_id and prefix + title.parent_id,
        )
        for title in titles
    ]
    return {title.title_id: title for title in named}


def retrieval(version: str = VERSION, seed: int = 0, prefix: str = "") -> RetrievalModel:
    """Random vectors for all titles that can be recommended."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(TITLE_COUNT, 8)).astype(np.float32)
    return RetrievalModel.of(
        title_ids=tuple(f"{prefix}t{number:02d}" for number in range(TITLE_COUNT)),
        vectors=vectors,
        content=to_unit_length(rng.normal(size=(TITLE_COUNT, 6)).astype(np.float32)),
        popularity=np.linspace(1, 0, TITLE_COUNT, dtype=np.float32),
        implicit=Implicit(vectors.T.astype(np.float64) @ vectors, 0.1, 10.0),
        version=version,
        trained_until_ms=NOW_MS - 1_000,
    )


def ranker(version: str = VERSION, seed: int = 0) -> Ranker:
    """A few trees over random features: no good, but always the same."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(400, len(FEATURE_NAMES)))
    wanted = matrix @ rng.normal(size=len(FEATURE_NAMES))
    booster = lightgbm.train(
        {"num_leaves": 7, "seed": 1, "num_threads": 1, "deterministic": True, "verbose": -1},
        lightgbm.Dataset(matrix, wanted, feature_name=list(FEATURE_NAMES)),
        num_boost_round=10,
    )
    return Ranker(version, NOW_MS - 1_000, booster)
