import numpy as np
import pytest

from services.recap.quiz.belief import Belief
from services.recap.quiz.question import DONT_CARE
from services.recap.quiz.quiz import Quiz
from services.recap.quiz.slate import slate
from tests.services.recap.quiz.made_pools import make_pool


def test_the_likeliest_come_first_with_their_probability() -> None:
    quiz = Quiz.of(make_pool())
    said = [("mood", "o1")]
    made = quiz.slate(said, 10)
    probabilities = quiz.belief(said).probabilities
    assert [title.probability for title in made.titles] == sorted(probabilities, reverse=True)[:10]
    assert len({title.title_id for title in made.titles}) == 10


def test_each_title_names_the_answers_that_it_keeps_and_no_other() -> None:
    pool = make_pool()
    quiz = Quiz.of(pool)
    said = [("mood", "o1"), ("energy", "o0"), ("era", DONT_CARE)]
    mood, energy = quiz.question("mood"), quiz.question("energy")
    for title in quiz.slate(said).titles:
        row = pool.title_ids.index(title.title_id)
        expected = [
            question.options[place].reason
            for question, place in ((mood, 1), (energy, 0))
            if question.fits[place, row]
        ]
        assert list(title.reasons) == expected


def test_an_answer_that_hardly_a_title_keeps_is_told_as_relaxed() -> None:
    pool = make_pool(12)
    quiz = Quiz.of(pool)
    kept = int(quiz.question("mood").fits[0].sum())
    made = quiz.slate([("mood", "o0")], 12)
    assert kept < 6
    assert made.relaxed == ("What mood are you in? Dark",)


def test_what_most_titles_keep_is_not_relaxed() -> None:
    assert Quiz.of(make_pool()).slate([("mood", "o0")], 10).relaxed == ()


def test_not_caring_about_anything_gives_recommends_order() -> None:
    pool = make_pool()
    quiz = Quiz.of(pool)
    said = [(question.question_id, DONT_CARE) for question in quiz.bank.questions]
    made = quiz.slate(said, 20)
    assert tuple(title.title_id for title in made.titles) == pool.title_ids[:20]
    assert made.relaxed == ()
    assert all(not title.reasons for title in made.titles)


@pytest.mark.parametrize("count", [0, 4])
def test_a_small_pool_gives_a_small_slate(count: int) -> None:
    pool = make_pool(count)
    assert len(slate(pool, Belief.of(pool), (), 20).titles) == count


def test_titles_that_are_as_likely_keep_their_order() -> None:
    pool = make_pool(6)
    made = slate(pool, Belief(np.zeros(6)), (), 6)
    assert tuple(title.title_id for title in made.titles) == pool.title_ids
