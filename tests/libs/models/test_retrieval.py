from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from libs.artifacts.bundle import BundleStore, publish
from libs.artifacts.manifest import BundleRejected
from libs.faults import InvalidField
from libs.models.flat_index import Selector
from libs.models.fold_in import Implicit, fold_in
from libs.models.retrieval import RetrievalQuery, Retrieved, nearest, retrieve
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel, to_unit_length

DIMENSIONS = 4


def make_model(title_count: int, *, seed: int = 0, is_coarse: bool = False) -> RetrievalModel:
    """Coarse vectors hold few values, so that many scores are equal."""
    rng = np.random.default_rng(seed)
    shape = (title_count, DIMENSIONS)
    drawn = rng.integers(-1, 2, shape) if is_coarse else rng.standard_normal(shape)
    vectors = drawn.astype(np.float32)
    return RetrievalModel.of(
        title_ids=tuple(f"t{row:04d}" for row in range(title_count)),
        vectors=vectors,
        content=to_unit_length(rng.standard_normal((title_count, 6)).astype(np.float32)),
        popularity=rng.integers(0, 5, title_count).astype(np.float32),
        implicit=Implicit(
            gram=vectors.T.astype(np.float64) @ vectors, regularization=1.0, alpha=10.0
        ),
        version="v",
    )


def make_query(
    model: RetrievalModel,
    *,
    history: tuple[int, ...] = (),
    excluded: tuple[int, ...] = (),
    available: NDArray[np.bool_] | None = None,
    limit: int = 10,
    popularity: NDArray[np.float32] | None = None,
) -> RetrievalQuery:
    return RetrievalQuery(
        history_rows=np.array(history, dtype=np.int32),
        history_weights=np.linspace(1, 0.5, len(history), dtype=np.float32),
        excluded_rows=np.array(excluded, dtype=np.int32),
        available=np.ones(model.title_count, np.bool_) if available is None else available,
        limit=limit,
        title_popularity=popularity,
    )


def bits(retrieved: Retrieved) -> tuple[bytes, bytes, bytes]:
    return (
        retrieved.rows.tobytes(),
        retrieved.source_ranks.tobytes(),
        retrieved.source_scores.tobytes(),
    )


def source(retrieved: Retrieved, name: str) -> list[int]:
    """The rows that the source proposed and that survived, in the source's own order."""
    ranks = retrieved.source_ranks[:, retrieved.source_names.index(name)]
    proposed = np.flatnonzero(ranks >= 0)
    return [int(row) for row in retrieved.rows[proposed[np.argsort(ranks[proposed])]]]


@given(
    title_count=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    limit=st.integers(1, 80),
    is_coarse=st.booleans(),
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_returns_only_allowed_titles_each_once_and_as_many_as_it_can(
    title_count: int, seed: int, limit: int, is_coarse: bool, data: st.DataObject
) -> None:
    model = make_model(title_count, seed=seed, is_coarse=is_coarse)
    row = st.integers(0, title_count - 1)
    history = tuple(data.draw(st.lists(row, unique=True, max_size=8)))
    excluded = tuple(data.draw(st.lists(row, max_size=20)))
    available = np.random.default_rng(seed).random(title_count) < 0.7
    query = make_query(model, history=history, excluded=excluded, available=available, limit=limit)
    retrieved = retrieve(model, query)
    allowed = set(np.flatnonzero(available).tolist()) - set(excluded)
    rows = retrieved.rows.tolist()
    assert len(rows) == len(set(rows)) == min(limit, len(allowed))
    assert set(rows) <= allowed
    assert (retrieved.source_ranks >= -1).all()
    assert (retrieved.source_ranks.max(axis=1, initial=-1) >= 0).all()
    assert (retrieved.source_scores[retrieved.source_ranks < 0] == 0).all()
    assert bits(retrieve(model, query)) == bits(retrieved)


@given(seed=st.integers(0, 2**32 - 1), is_coarse=st.booleans(), limit=st.integers(1, 40))
@settings(max_examples=80, deadline=None)
def test_the_collaborative_source_equals_brute_force_with_ties_by_row(
    seed: int, is_coarse: bool, limit: int
) -> None:
    model = make_model(40, seed=seed, is_coarse=is_coarse)
    rng = np.random.default_rng(seed)
    available = rng.random(40) < 0.6
    history = tuple(rng.choice(40, 5, replace=False).tolist())
    query = make_query(model, history=history, available=available, limit=limit)
    taste = fold_in(model.vectors, model.implicit, query.history_rows, query.history_weights)
    allowed = np.flatnonzero(available)
    scores = np.array([_dot(model.vectors[row], taste) for row in allowed])
    rows, found = model.index.search(taste, limit, _selector(available))
    np.testing.assert_allclose(found, np.sort(scores)[::-1][:limit], rtol=1e-5, atol=1e-6)
    if is_coarse:  # equal vectors have equal scores to the bit, so the rows must agree too
        exact = {tuple(model.vectors[row]): score for row, score in zip(rows, found, strict=True)}
        found_too = [row for row in allowed if tuple(model.vectors[row]) in exact]
        expected = sorted(found_too, key=lambda row: (-exact[tuple(model.vectors[row])], row))
        assert rows.tolist() == expected[: len(rows)]
    retrieved = retrieve(model, query)
    deep, _ = model.index.search(taste, 40, _selector(available))
    kept = set(retrieved.rows.tolist())
    assert source(retrieved, "collaborative") == [row for row in deep.tolist() if row in kept]


@given(seed=st.integers(0, 2**32 - 1), is_coarse=st.booleans(), limit=st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_a_short_list_is_the_beginning_of_a_long_one(
    seed: int, is_coarse: bool, limit: int
) -> None:
    model = make_model(60, seed=seed, is_coarse=is_coarse)
    history = tuple(np.random.default_rng(seed).choice(60, 7, replace=False).tolist())
    long = retrieve(model, make_query(model, history=history, limit=60))
    short = retrieve(model, make_query(model, history=history, limit=limit))
    assert bits(short) == (
        long.rows[:limit].tobytes(),
        long.source_ranks[:limit].tobytes(),
        long.source_scores[:limit].tobytes(),
    )


@given(seed=st.integers(0, 2**32 - 1), is_coarse=st.booleans(), k=st.integers(0, 45))
@settings(max_examples=50, deadline=None)
def test_searching_for_several_at_once_finds_the_same_bits(
    seed: int, is_coarse: bool, k: int
) -> None:
    model = make_model(40, seed=seed, is_coarse=is_coarse)
    selector = _selector(np.random.default_rng(seed).random(40) < 0.6)
    together = model.index.search_each(model.vectors[:7], k, selector)
    for query, (rows, scores) in zip(model.vectors[:7], together, strict=True):
        alone_rows, alone_scores = model.index.search(query, k, selector)
        assert rows.tolist() == alone_rows.tolist()
        assert scores.tobytes() == alone_scores.tobytes()


def _dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.dot(a.astype(np.float64), b.astype(np.float64)))


def _selector(available: NDArray[np.bool_]) -> Selector:
    return Selector.of(available)


def test_a_cold_profile_gets_what_is_popular_here() -> None:
    model = make_model(30)
    popularity = np.arange(30, dtype=np.float32)
    retrieved = retrieve(model, make_query(model, limit=5, popularity=popularity))
    assert retrieved.rows.tolist() == [29, 28, 27, 26, 25]
    assert source(retrieved, "collaborative") == []


def test_without_live_counters_the_popularity_of_training_stands_in() -> None:
    model = make_model(30)
    expected = sorted(range(30), key=lambda row: (-model.popularity[row], row))
    assert retrieve(model, make_query(model, limit=30)).rows.tolist() == expected


def test_similar_titles_come_from_the_newest_history() -> None:
    model = make_model(50)
    retrieved = retrieve(model, make_query(model, history=(7,), excluded=(7,), limit=20))
    rows, cosines = nearest(model, 7, np.ones(50, np.bool_), 50)
    kept = set(retrieved.rows.tolist())
    assert source(retrieved, "similar") == [row for row in rows.tolist() if row in kept]
    assert len(kept) == 20
    assert (np.diff(cosines) <= 0).all()


def test_nearest_never_returns_the_title_itself() -> None:
    model = make_model(50)
    rows, _ = nearest(model, 7, np.ones(50, np.bool_), 500)
    assert sorted(rows.tolist()) == [row for row in range(50) if row != 7]


def test_nothing_allowed_is_an_empty_answer() -> None:
    model = make_model(5)
    query = make_query(model, history=(1,), available=np.zeros(5, np.bool_))
    retrieved = retrieve(model, query)
    assert retrieved.rows.shape == (0,)
    assert retrieved.source_ranks.shape == (0, len(retrieved.source_names))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("limit", {"limit": 0}),
        ("limit", {"limit": -5}),
        ("history_rows", {"history": (5,)}),
        ("history_rows", {"history": (-1,)}),
        ("history_rows", {"history": (2, 2)}),
        ("excluded_rows", {"excluded": (0,) * 1_001}),
        ("excluded_rows", {"excluded": (99,)}),
    ],
)
def test_nonsense_in_a_query_names_the_field(field: str, changes: Mapping[str, object]) -> None:
    model = make_model(5)
    with pytest.raises(InvalidField) as raised:
        make_query(model, **changes)  # type: ignore[arg-type]  # one of them, as named
    assert raised.value.field == field


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf"), 3.4e38])
def test_a_weight_that_is_not_positive_and_finite_is_refused(weight: float) -> None:
    with pytest.raises(InvalidField) as raised:
        RetrievalQuery(
            history_rows=np.array([1], dtype=np.int32),
            history_weights=np.array([weight], dtype=np.float32),
            excluded_rows=np.empty(0, dtype=np.int32),
            available=np.ones(3, np.bool_),
            limit=1,
        )
    assert raised.value.field == "history_weights"


def publish_model(root: Path, model: RetrievalModel) -> str:
    return publish(
        root,
        {RETRIEVAL_PART: model.write},
        now_ms=1,
        trained_until_ms=5,
        feature_schema_version=1,
    )


def test_a_model_reads_back_to_the_same_answers(tmp_path: Path) -> None:
    model = make_model(40)
    version = publish_model(tmp_path, model)
    store = BundleStore(tmp_path)
    loaded = RetrievalModel.read(store.open_part(version, RETRIEVAL_PART), store.manifest(version))
    assert (loaded.version, loaded.trained_until_ms) == (version, 5)
    assert loaded.title_ids == model.title_ids
    query = make_query(model, history=(3, 1, 4), limit=20)
    assert bits(retrieve(loaded, query)) == bits(retrieve(model, query))


def test_the_manifest_has_the_shape_of_every_array(tmp_path: Path) -> None:
    version = publish_model(tmp_path, make_model(40))
    files = BundleStore(tmp_path).manifest(version).parts[RETRIEVAL_PART]
    assert files["vectors.npy"].shape == files["vectors.faiss"].shape == (40, DIMENSIONS)
    assert files["title_ids.json"].shape == (40,)
    assert files["gram.npy"].shape == (DIMENSIONS, DIMENSIONS)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    def write_mixed(folder: Path) -> Mapping[str, tuple[int, ...]]:
        shapes = make_model(40).write(folder)
        make_model(41).index.write(folder / "vectors.faiss")
        return shapes

    version = publish(
        tmp_path,
        {RETRIEVAL_PART: write_mixed},
        now_ms=1,
        trained_until_ms=0,
        feature_schema_version=1,
    )
    store = BundleStore(tmp_path)
    with pytest.raises(BundleRejected, match=r"vectors\.faiss"):
        RetrievalModel.read(store.open_part(version, RETRIEVAL_PART), store.manifest(version))
