import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recap.quiz.board import Board
from services.recap.quiz.play import Position, result
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import DONT_CARE
from services.recap.quiz.quiz import Quiz, Said
from services.recap.quiz.selection import StopRules
from services.recap.quiz.title_traits import TitleTraits
from tests.made_tastes import IDS, TITLES, make_taste_model
from tests.services.recap.quiz.made_pools import make_pool

MODEL = make_taste_model()
ENDLESS = StopRules(most_answers=99, sure_mass=2.0, least_gain_bits=-1.0)


def taste_quiz(count: int = 80) -> Quiz:
    pool = Pool.of(TitleTraits.of(TITLES.values()), IDS[:count], np.zeros(count))
    return Quiz.of(pool, MODEL, TITLES)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_whatever_is_answered_the_belief_stays_a_probability(data: st.DataObject) -> None:
    quiz = data.draw(st.sampled_from((Quiz.of(make_pool()), taste_quiz())))
    said: list[Said] = []
    for _ in range(4):
        question = quiz.choice(said, ENDLESS).question
        if question is None:
            break
        options = [option.option_id for option in question.options]
        said.append((question.question_id, data.draw(st.sampled_from([*options, DONT_CARE]))))
    probabilities = quiz.belief(said).probabilities
    assert probabilities.sum() == pytest.approx(1.0)
    assert probabilities.min() > 0
    assert len(quiz.slate(said, 20).titles) == 20


def test_where_titles_have_moods_the_quiz_asks_about_tonight() -> None:
    assert Quiz.of(make_pool(), MODEL, TITLES).tastes is None


def test_without_moods_it_asks_about_the_taste_that_a_bundle_has_learnt() -> None:
    asked = {one.question.kind for one in taste_quiz().choice(()).considered}
    assert asked == {"title", "genre", "era", "pair"}


def test_without_moods_and_bundle_it_asks_what_metadata_tell() -> None:
    quiz = Quiz.of(make_pool(with_moods=False))
    assert {one.question.kind for one in quiz.choice(()).considered} == {
        "length", "era", "genre", "pair", "familiarity",
    }  # fmt: skip


def test_liking_a_genre_raises_its_titles() -> None:
    quiz = taste_quiz()
    question = next(
        one.question for one in quiz.choice(()).considered if one.question.kind == "genre"
    )
    for option in question.options:
        after = quiz.belief([(question.question_id, option.option_id)]).probabilities
        best = quiz.pool.titles[int(after.argmax())]
        assert best.genres == (option.text,)


def test_what_a_question_of_taste_tells_depends_on_the_answers_before() -> None:
    quiz = taste_quiz()
    first = quiz.choice(()).question
    assert first is not None
    again = quiz.question(first.question_id, [(first.question_id, first.options[0].option_id)])
    assert not np.allclose(first.likelihood, again.likelihood)
    assert again.options == first.options


def test_the_belief_by_likelihoods_and_by_regression_agree() -> None:
    quiz = taste_quiz()
    question = quiz.choice(()).question
    assert question is not None
    for place, option in enumerate(question.options):
        regressed = quiz.belief([(question.question_id, option.option_id)]).probabilities
        bayes = quiz.pool.prior * question.likelihood[place]
        np.testing.assert_allclose(regressed, bayes / bayes.sum(), atol=4e-3)


def test_a_title_that_the_model_does_not_know_is_neither_raised_nor_lowered() -> None:
    known = MODEL.of_titles(np.arange(1, len(MODEL.title_ids)))
    pool = Pool.of(TitleTraits.of(TITLES.values()), IDS[:30], np.zeros(30))
    quiz = Quiz.of(pool, known, TITLES)
    row = pool.title_ids.index(MODEL.title_ids[0])
    question = quiz.choice(()).question
    assert question is not None
    np.testing.assert_allclose(
        question.likelihood[:, row] @ np.ones(len(question.options)), 1.0, rtol=1e-5
    )
    belief = quiz.belief([(question.question_id, question.options[0].option_id)])
    assert belief.probabilities[row] == pytest.approx(1 / 30, rel=0.2)


def test_a_title_that_left_the_catalogue_is_not_asked_about() -> None:
    about = next(one for one in MODEL.questions if one.title_id)
    left = {title_id: one for title_id, one in TITLES.items() if title_id != about.title_id}
    pool = Pool.of(TitleTraits.of(left.values()), list(left)[:40], np.zeros(40))
    asked = Quiz.of(pool, MODEL, left).choice(()).considered
    assert about.question_id not in {one.question.question_id for one in asked}


def test_an_answer_to_no_question_of_the_pool_is_an_error() -> None:
    with pytest.raises(KeyError):
        Quiz.of(make_pool()).belief([("nothing", "o0")])


def test_an_option_that_a_question_of_taste_does_not_have_is_an_error() -> None:
    quiz = taste_quiz()
    question = quiz.choice(()).question
    assert question is not None
    with pytest.raises(KeyError):
        quiz.belief([(question.question_id, "o7")])


def test_a_pool_that_the_model_knows_nothing_of_has_nothing_to_ask() -> None:
    pool = make_pool(0, with_moods=False)
    choice = Quiz.of(pool, MODEL, TITLES).choice(())
    assert choice.question is None


def test_to_somebody_unknown_those_titles_are_shown_that_such_answers_make_likeliest() -> None:
    quiz = taste_quiz()
    board = Board.of(quiz)
    question = next(one for one in quiz.all_questions if one.kind == "genre")
    said = ((question.question_id, question.options[0].option_id),)
    here = Position(board, said, quiz.belief(said), ())
    # The page's own order is the other way round.
    page = Pool.of(TitleTraits.of(TITLES.values()), IDS[::-1], np.arange(len(IDS), dtype=float))
    shown = [one.title_id for one in result(here, page, 10, is_personal=False).titles]
    expected = dict(zip(MODEL.title_ids, MODEL.watches(_places(said)).tolist(), strict=True))
    likeliest = sorted(IDS[:80], key=lambda one: -expected.get(one, 0.0))[:10]
    assert set(shown) == set(likeliest)
    own = [one.title_id for one in result(here, page, 10).titles]
    assert own != shown, "of a profile the page's scores count"


def _places(said: tuple[Said, ...]) -> list[tuple[int, int]]:
    ids = [question.question_id for question in MODEL.questions]
    return [
        (ids.index(asked), MODEL.questions[ids.index(asked)].option_ids.index(option))
        for asked, option in said
    ]
