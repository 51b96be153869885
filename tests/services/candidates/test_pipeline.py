"""Properties of the pure core, over a small model in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.domain.title import LicenceWindow, Title, TitleKind
from libs.faults import InvalidField
from libs.features.catalogue_columns import is_available
from libs.models.fold_in import Implicit
from libs.models.retrieval_model import RetrievalModel
from services.candidates.index import Index
from services.candidates.pipeline import candidates_of
from services.candidates.query import CandidateQuery

NOW_MS = 1_760_000_000_000
COUNT = 60


def title(number: int) -> Title:
    return Title(
        f"t{number:02d}",
        TitleKind.MOVIE if number % 3 else TitleKind.SERIES,
        f"Title {number}",
        maturity_years=number % 19,
        licence_windows=(LicenceWindow("PT", 0, NOW_MS),) if number % 4 == 0 else (),
    )


def index() -> Index:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(COUNT, 8)).astype(np.float32)
    content = rng.normal(size=(COUNT, 6)).astype(np.float32)
    titles = [title(number) for number in range(COUNT)]
    model = RetrievalModel.of(
        title_ids=tuple(each.title_id for each in titles),
        vectors=vectors,
        content=content,
        popularity=np.zeros(COUNT, np.float32),
        implicit=Implicit(vectors.T.astype(np.float64) @ vectors, 0.1, 10.0),
        version="v1",
    )
    known = {each.title_id: each for each in titles if each.title_id != "t07"}
    return Index.of(model, known)


INDEX = index()


def query(
    *,
    history: list[int],
    excluded: list[int],
    limit: int = 30,
    country: str = "",
    kids: bool = False,
    as_of_ms: int | None = None,
) -> CandidateQuery:
    return CandidateQuery(
        tenant="default",
        bundle_version="v1",
        limit=limit,
        history_rows=np.array(history, dtype=np.int32),
        history_weights=np.ones(len(history), dtype=np.float32),
        excluded_rows=np.array(excluded, dtype=np.int32),
        country=country,
        kids=kids,
        maturity_limit_years=None,
        now_ms=NOW_MS,
        as_of_ms=as_of_ms,
    )


rows = st.lists(st.integers(0, COUNT - 1), max_size=20, unique=True)


@settings(max_examples=60, deadline=None)
@given(
    history=rows,
    excluded=rows,
    limit=st.integers(1, COUNT + 5),
    country=st.sampled_from(["", "PT", "DE"]),
    kids=st.booleans(),
    as_of_ms=st.sampled_from([None, NOW_MS - 1]),
)
def test_returns_as_many_as_may_be_shown_each_once_and_nothing_else(
    history: list[int],
    excluded: list[int],
    limit: int,
    country: str,
    kids: bool,
    as_of_ms: int | None,
) -> None:
    asked = query(
        history=history,
        excluded=excluded,
        limit=limit,
        country=country,
        kids=kids,
        as_of_ms=as_of_ms,
    )
    found = candidates_of(INDEX, asked, None)
    available = is_available(INDEX.columns, country, asked.at_ms, None, kids)
    allowed = set(np.flatnonzero(available).tolist()) - set(excluded)
    got = found.rows.tolist()
    assert len(got) == len(set(got)) == min(limit, len(allowed))
    assert set(got) <= allowed
    assert (found.source_ranks >= 0).any(axis=1).all()


def test_the_same_question_has_the_same_answer() -> None:
    asked = query(history=[3, 9, 1], excluded=[3, 9, 1])
    first, second = (candidates_of(INDEX, asked, None) for _ in range(2))
    assert first.rows.tobytes() == second.rows.tobytes()
    assert first.source_scores.tobytes() == second.source_scores.tobytes()


def test_a_title_that_the_catalogue_does_not_have_is_never_found() -> None:
    assert 7 not in candidates_of(INDEX, query(history=[7], excluded=[], limit=COUNT), None).rows


def test_a_licence_is_of_the_time_asked() -> None:
    now = candidates_of(INDEX, query(history=[], excluded=[], limit=COUNT, country="PT"), None)
    then = candidates_of(
        INDEX,
        query(history=[], excluded=[], limit=COUNT, country="PT", as_of_ms=NOW_MS - 1),
        None,
    )
    assert 4 not in now.rows, "the window ended this very moment"
    assert 4 in then.rows


@pytest.mark.parametrize("limit", [0, -1, 2_001])
def test_a_limit_out_of_range_is_refused(limit: int) -> None:
    with pytest.raises(InvalidField, match="limit"):
        query(history=[], excluded=[], limit=limit)
