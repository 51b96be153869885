import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.ranking.diversity import select

Floats = NDArray[np.float32]


def textbook_mmr(
    scores: Floats, embeddings: Floats, limit: int, relevance_weight: float
) -> list[int]:
    relevance = (scores - scores.min()) / max(scores.max() - scores.min(), 1e-30)
    chosen = [int(np.argmax(scores))]
    while len(chosen) < min(limit, len(scores)):
        rest = [i for i in range(len(scores)) if i not in chosen]
        worth = [
            relevance_weight * relevance[i]
            - (1 - relevance_weight) * max(float(embeddings[i] @ embeddings[j]) for j in chosen)
            for i in rest
        ]
        chosen.append(rest[int(np.argmax(worth))])
    return chosen


def pool(seed: int, n: int, d: int = 8) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(size=(n, d)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return rng.normal(size=n).astype(np.float32), embeddings


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), limit=st.integers(1, 80))
@settings(deadline=None, max_examples=60)
def test_picks_are_distinct_places_and_as_many_as_asked(seed: int, n: int, limit: int) -> None:
    scores, embeddings = pool(seed, n)
    picks = select(scores, embeddings, limit=limit, relevance_weight=0.7)
    assert len(picks) == min(limit, n)
    assert len(set(picks.tolist())) == len(picks)
    assert picks[0] == scores.argmax()


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_equals_the_textbook_formula(seed: int) -> None:
    scores, embeddings = pool(seed, 40)
    picks = select(scores, embeddings, limit=12, relevance_weight=0.6)
    assert picks.tolist() == textbook_mmr(scores, embeddings, 12, 0.6)


def test_relevance_alone_keeps_the_order_of_scores() -> None:
    scores, embeddings = pool(3, 50)
    picks = select(scores, embeddings, limit=50, relevance_weight=1.0)
    assert picks.tolist() == np.argsort(-scores, kind="stable").tolist()


def test_a_near_copy_waits_for_something_else() -> None:
    embeddings = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    scores = np.array([1.0, 0.9, 0.5], dtype=np.float32)
    assert select(scores, embeddings, limit=2, relevance_weight=0.5).tolist() == [0, 2]


def test_equal_scores_keep_the_order_of_the_pool() -> None:
    scores = np.ones(5, dtype=np.float32)
    embeddings = np.zeros((5, 3), dtype=np.float32)
    picks = select(scores, embeddings, limit=5, relevance_weight=0.7)
    assert picks.tolist() == [0, 1, 2, 3, 4]
