import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.recap.story.terms import decode, terms, words

TEXTS = ["Ann finds the letter", "Ben burns the letter", "the the the", "!!!", "จดหมายของแอน"]


def dense(texts: list[str]) -> NDArray[np.float64]:
    """By the definition, a cell at a time."""
    names = sorted({word for text in texts for word in words(text)})
    counts = np.array([[words(text).count(name) for name in names] for text in texts], float)
    found = counts * (np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = found / np.where(lengths > 0, lengths, 1)
    return scaled


@given(st.lists(st.text("ab c", max_size=12), min_size=1, max_size=8), st.data())
def test_cosines_are_those_of_the_definition(texts: list[str], data: st.DataObject) -> None:
    wanted = dense(texts)
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=6))
    made = decode(terms(texts).encode())
    some = made.take(np.array(rows, np.intp))
    for place in range(len(texts)):
        one = made.row(place)
        np.testing.assert_allclose(made.take(np.array([place])).total(), one, atol=1e-6)
        np.testing.assert_allclose(one, wanted[place], atol=1e-6)
        np.testing.assert_allclose(some.cosines(one), wanted[rows] @ wanted[place], atol=1e-6)


def test_the_weights_are_those_of_scikit_learn() -> None:
    feature_extraction = pytest.importorskip("sklearn.feature_extraction.text")
    vectorizer = feature_extraction.TfidfVectorizer()
    wanted = vectorizer.fit_transform(TEXTS[:4]).toarray()
    made = terms(TEXTS[:4])
    found = np.array([made.take(np.array([row])).total() for row in range(4)])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_scripts_without_spaces_are_compared_by_pairs_of_signs() -> None:
    assert words("雪国の") == ["雪国", "国の"]
    made = terms(["雪国の朝", "雪国の夜", "Ann"])
    near = made.cosines(made.take(np.array([0])).total())
    assert near[0] == pytest.approx(1)
    assert 0 < near[1] < 1
    assert near[2] == 0


def test_no_texts_have_no_terms() -> None:
    nothing = decode(b"")
    assert len(nothing.cosines(np.zeros(0))) == 0
    assert terms([]).encode() == decode(terms([]).encode()).encode()
