import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from libs.models.taste_question import NO_ANSWER, AnswerBook, Facet, TasteQuestion, likeness
from tests.made_titles import make_titles

TITLES = {title.title_id: title for title in make_titles(14)}
IDS = tuple(TITLES)
ABOUT = TasteQuestion("title:t0003", "title", title_id="t0003")
GENRES = TasteQuestion(
    "genre", "genre", facets=(Facet(0.1, genre="Comedy"), Facet(0.4, genre="Drama"))
)
YEARS = TasteQuestion(
    "era",
    "era",
    facets=(
        Facet(0.5, first_year=1960, last_year=1989),
        Facet(0.5, first_year=1990, last_year=2019),
    ),
)
BOOK = AnswerBook.of((ABOUT, GENRES, YEARS), IDS, TITLES)


def rows(*title_ids: str) -> NDArray[np.float32]:
    held = np.zeros((1, len(IDS)), dtype=np.float32)
    held[0, [IDS.index(title_id) for title_id in title_ids]] = 1
    return held


def test_a_title_is_liked_seen_or_not_seen() -> None:
    seen, other = rows("t0003"), rows("t0001")
    assert BOOK.answers(seen, seen)[0, 0] == 0
    assert BOOK.answers(seen, rows())[0, 0] == 1
    assert BOOK.answers(other, other)[0, 0] == 2


def test_that_genre_is_preferred_that_is_watched_more_than_usual() -> None:
    # t0001 and t0008 are comedies, t0003 and t0010 dramas; dramas are what all others watch.
    assert BOOK.answers(rows("t0001", "t0003"), rows())[0, 1] == 0
    assert BOOK.answers(rows("t0003", "t0010"), rows())[0, 1] == 1


def test_years_are_preferred_alike() -> None:
    older = [one for one in IDS if YEARS.facets[0].weight(TITLES[one], TITLES)]
    assert 0 < len(older) < len(IDS)
    newer = [one for one in IDS if one not in older]
    assert BOOK.answers(rows(*older), rows())[0, 2] == 0
    assert BOOK.answers(rows(*newer), rows())[0, 2] == 1


def test_who_has_watched_nothing_prefers_nothing() -> None:
    answers = BOOK.answers(rows(), rows())
    np.testing.assert_array_equal(answers, [[2, NO_ANSWER, NO_ANSWER]])


def test_a_title_without_a_year_belongs_to_no_years() -> None:
    undated = make_titles(1)[0]
    bare = type(undated)(undated.title_id, undated.kind, undated.name)
    assert not Facet(0.5, first_year=0, last_year=3000).weight(bare, {})


def test_the_nearer_of_two_titles_is_preferred() -> None:
    own = TITLES["t0001"]
    far = next(one for one in IDS if not set(TITLES[one].genres) & set(own.genres))
    facets = (Facet(0.0, near_title_id=far), Facet(0.0, near_title_id=own.title_id))
    book = AnswerBook.of((TasteQuestion("pair", "pair", facets=facets),), IDS, TITLES)
    assert book.answers(rows("t0001"), rows())[0, 0] == 1
    assert book.answers(rows(), rows())[0, 0] == NO_ANSWER


def test_likeness_is_of_genres_and_fades_with_the_years_between() -> None:
    title = TITLES["t0001"]
    assert title.release_date is not None
    newer = dataclasses.replace(title, release_date=title.release_date.replace(year=2019))
    gap = 2019 - title.release_date.year
    assert likeness(title, title) == 1.0
    assert likeness(title, newer) == likeness(newer, title) == pytest.approx(np.exp(-gap / 10))
    assert likeness(title, dataclasses.replace(newer, genres=())) == 0.0
    assert likeness(title, dataclasses.replace(newer, release_date=None)) == 1.0
