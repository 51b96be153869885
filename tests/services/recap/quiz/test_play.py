import numpy as np
import pytest

from services.recap.quiz.board import Board
from services.recap.quiz.play import Position, next_step, position, result, seeds
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import DONT_CARE
from services.recap.quiz.quiz import Quiz
from services.recap.quiz.quiz_state import QuizState, new_state
from services.recap.quiz.selection import StopRules
from services.recap.quiz.title_traits import TitleTraits
from tests.made_titles import make_titles
from tests.services.recap.quiz.made_pools import make_pool

COUNT = 60
POOL = make_pool(COUNT)
BOARD = Board.of(Quiz.of(POOL))
ENDLESS = StopRules(most_answers=4, sure_mass=2.0, least_gain_bits=-1.0)


def begun() -> QuizState:
    return new_state(
        "z",
        "",
        pack_id="",
        now_ms=0,
        bundle_version="",
        title_ids=POOL.title_ids,
        scores=np.zeros(COUNT, np.float32),
    )


def answered(option: int | None) -> Position:
    """After four answers, each with the option of that place or of none."""
    state, here, choice = next_step(BOARD, begun(), ENDLESS)
    while choice.question is not None:
        chosen = DONT_CARE if option is None else choice.question.options[option].option_id
        state, here, choice = next_step(BOARD, state.answering(chosen), ENDLESS)
    return here


def test_no_answer_speaks_for_or_against_what_the_quiz_did_not_know() -> None:
    titles = make_titles(COUNT + 1)
    weights = np.append(POOL.prior, 0.05)
    ids = [title.title_id for title in titles]
    page = Pool.of_weights(TitleTraits.of(titles), ids, weights)
    made = result(answered(0), page, COUNT + 1)
    [new] = [title for title in made.titles if title.title_id == ids[-1]]
    assert new.probability == pytest.approx(0.05 / 1.05)
    assert new.reasons == ()


def test_a_page_of_the_pool_itself_is_in_the_order_of_the_belief() -> None:
    here = answered(1)
    made = result(here, POOL, COUNT)
    best = np.argsort(-here.belief.probabilities, kind="stable")
    assert [title.title_id for title in made.titles] == [POOL.title_ids[row] for row in best]
    np.testing.assert_allclose(
        [title.probability for title in made.titles], here.belief.probabilities[best]
    )


def test_an_empty_page_is_an_empty_slate() -> None:
    assert result(answered(0), make_pool(0)).titles == ()


def test_the_likeliest_weighs_one_and_nothing_is_brought_by_who_has_said_nothing() -> None:
    weights = [weight for _, weight in seeds(answered(0))]
    assert weights[0] == 1.0
    assert weights == sorted(weights, reverse=True)
    assert seeds(answered(None)) == ()


def test_playing_the_answers_again_leads_to_the_same_belief() -> None:
    state, _, choice = next_step(BOARD, begun(), ENDLESS)
    assert choice.question is not None
    state = state.answering(choice.question.options[0].option_id)
    _, here, _ = next_step(BOARD, state, ENDLESS)
    again = position(Board.of(Quiz.of(POOL)), state)
    np.testing.assert_array_equal(here.belief.log_weights, again.belief.log_weights)
