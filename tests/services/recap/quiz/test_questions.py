import dataclasses

import numpy as np
import pytest

from libs.domain.title import Title
from libs.models.retrieval_model import to_unit_length
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import MOST_OPTIONS
from services.recap.quiz.questions import questions
from services.recap.quiz.title_traits import TitleTraits
from tests.made_titles import make_titles
from tests.services.recap.quiz.made_pools import make_pool


def kinds(pool: Pool) -> set[str]:
    return {question.kind for question in questions(pool).questions}


def pool_of(titles: list[Title]) -> Pool:
    ids = [title.title_id for title in titles]
    return Pool.of(TitleTraits.of(titles), ids, -np.arange(len(ids), dtype=np.float64))


def test_every_question_is_sound() -> None:
    bank = questions(make_pool())
    ids = [question.question_id for question in bank.questions]
    assert len(set(ids)) == len(ids)
    for question in bank.questions:
        assert 2 <= len(question.options) <= MOST_OPTIONS
        assert len({option.option_id for option in question.options}) == len(question.options)
        assert len({option.text for option in question.options}) == len(question.options)
        np.testing.assert_allclose(question.likelihood.sum(axis=0), 1.0)
        assert question.likelihood.min() >= 0


def test_the_same_pool_has_the_same_questions() -> None:
    one, two = questions(make_pool()), questions(make_pool())
    assert [each.question_id for each in one.questions] == [
        each.question_id for each in two.questions
    ]
    np.testing.assert_array_equal(one.likelihood, two.likelihood)


def test_there_is_a_question_of_each_kind_that_there_is_data_for() -> None:
    assert kinds(make_pool()) == {
        "mood", "energy", "length", "familiarity", "era", "genre", "pair",
    }  # fmt: skip


def test_a_kind_without_data_is_not_invented() -> None:
    assert kinds(make_pool(with_moods=False, popularity=False)) == {
        "length", "era", "genre", "pair",
    }  # fmt: skip


def test_titles_of_which_nothing_is_known_leave_nothing_to_ask() -> None:
    bare = [
        dataclasses.replace(title, genres=(), tags=(), duration_ms=0, release_date=None)
        for title in make_titles(30)
    ]
    movies = [title for title in bare if title.kind.name == "MOVIE"]
    assert kinds(pool_of(movies)) == set()


def test_titles_that_are_all_the_same_leave_nothing_to_ask() -> None:
    first = make_titles(1)[0]
    same = [dataclasses.replace(first, title_id=f"s{place}") for place in range(20)]
    assert kinds(pool_of(same)) == set()


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_few_titles_are_no_trouble(count: int) -> None:
    for question in questions(make_pool(count)).questions:
        assert question.likelihood.shape == (len(question.options), count)


def test_many_labels_are_asked_for_in_groups_and_then_one_by_one() -> None:
    bank = questions(make_pool())
    named = [one for one in bank.questions if one.kind == "genre"]
    groups, *closer = named
    assert groups.question_id == "genre"
    assert len(groups.options) == MOST_OPTIONS
    assert groups.fits.any(axis=0).all()
    told = {option.label for question in closer for option in question.options if option.label}
    single = {option.label for option in groups.options if option.label}
    assert len(told | single) == 7


def test_however_many_labels_there_are_no_question_has_too_many_options() -> None:
    titles = [
        dataclasses.replace(title, genres=(f"Genre {place % 40:02d}", f"Genre {place % 7:02d}"))
        for place, title in enumerate(make_titles(400))
    ]
    named = [one for one in questions(pool_of(titles)).questions if one.kind == "genre"]
    assert len(named) > 1
    assert max(len(question.options) for question in named) == MOST_OPTIONS


def test_a_title_without_a_label_of_the_kind_is_as_likely_after_any_answer() -> None:
    titles = list(make_titles(60))
    titles[5] = dataclasses.replace(titles[5], tags=())
    mood = questions(pool_of(titles)).of_id("mood")
    np.testing.assert_allclose(mood.likelihood[:, 5], 1 / len(mood.options))
    assert not mood.fits[:, 5].any()


def test_every_year_falls_into_one_era_and_every_length_into_one_span() -> None:
    bank = questions(make_pool())
    for kind in ("era", "length"):
        np.testing.assert_array_equal(bank.of_id(kind).fits.sum(axis=0), 1)


def test_films_that_all_last_as_long_are_told_from_series_alone() -> None:
    titles = [
        dataclasses.replace(title, duration_ms=min(title.duration_ms, 1) * 5_400_000)
        for title in make_titles(30)
    ]
    length = questions(pool_of(titles)).of_id("length")
    assert [option.text for option in length.options] == ["No series", "A series"]
    assert length.fits.sum(axis=0).tolist() == [1] * 30


def test_a_series_is_a_length_of_its_own() -> None:
    pool = make_pool()
    length = questions(pool).of_id("length")
    np.testing.assert_array_equal(length.fits[length.place_of("series")], pool.is_series)


def test_spans_say_what_they_hold() -> None:
    pool = make_pool()
    era = questions(pool).of_id("era")
    assert era.options[0].text.endswith(" or older")
    last = int(era.options[0].text.split()[0])
    np.testing.assert_array_equal(era.fits[0], pool.release_years <= last)


def test_a_pair_shows_two_titles_that_vectors_set_apart() -> None:
    rng = np.random.default_rng(3)
    vectors = to_unit_length(rng.standard_normal((120, 4)).astype(np.float32))
    pool = dataclasses.replace(make_pool(), vectors=vectors)
    pairs = [question for question in questions(pool).questions if question.kind == "pair"]
    assert pairs
    for question in pairs:
        rows = [pool.title_ids.index(option.title_id) for option in question.options]
        # Each of both is nearer to itself.
        assert question.fits[0, rows[0]]
        assert question.fits[1, rows[1]]
        assert float(vectors[rows[0]] @ vectors[rows[1]]) < 0


@pytest.mark.parametrize("genre_count", [18, 20, 21, 60])
def test_of_many_genres_no_answer_names_more_than_one_can_read(genre_count: int) -> None:
    titles = [
        dataclasses.replace(
            title,
            tags=(),
            genres=tuple(f"G{(place * step) % genre_count:02d}" for step in (1, 7)),
        )
        for place, title in enumerate(make_titles(300))
    ]
    question = questions(pool_of(titles)).of_id("genre")
    named = [option.text.count("G") for option in question.options]
    assert max(named) <= 5
    assert question.fits.any(axis=0).all(), "each title is in an answer, if it is something else"
