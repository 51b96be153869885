import numpy as np
import pytest

from services.recap.quiz.belief import Belief, update
from services.recap.quiz.question import Question, QuestionOption
from services.recap.quiz.questions import questions
from services.recap.quiz.questions_of_labels import question_of
from services.recap.quiz.selection import QuestionBank, Stop, StopRules, choose
from tests.services.recap.quiz.made_pools import make_pool

ENDLESS = StopRules(most_answers=99, sure_mass=2.0, least_gain_bits=-1.0)


def yes_no(name: str, yes: list[bool], cost_bits: float = 0.0) -> Question:
    options = (QuestionOption("yes", "Yes", "yes"), QuestionOption("no", "No", "no"))
    fits = np.array(yes)
    return question_of(name, "mood", f"{name}?", options, (fits, ~fits), cost_bits)


def test_the_gain_is_the_expected_drop_of_entropy() -> None:
    pool = make_pool(60)
    bank, belief = questions(pool), Belief.of(pool)
    gains = bank.gains_bits(belief)
    for question, gain in zip(bank.questions, gains.tolist(), strict=True):
        chances = question.noisy @ belief.probabilities
        left = [update(belief, question, one.option_id).entropy_bits for one in question.options]
        assert gain == pytest.approx(belief.entropy_bits - float(chances @ left), abs=1e-6)


def test_what_divides_the_belief_best_is_asked_first() -> None:
    half = yes_no("half", [True] * 4 + [False] * 4)
    one = yes_no("one", [True] + [False] * 7)
    choice = choose(QuestionBank.of((one, half), 8), Belief(np.zeros(8)), (), ENDLESS)
    assert choice.question is half
    assert [each.question.question_id for each in choice.considered] == ["half", "one"]


def test_a_dear_question_gives_way_to_a_cheaper_one() -> None:
    half = yes_no("half", [True] * 4 + [False] * 4, cost_bits=0.4)
    one = yes_no("three", [True] * 3 + [False] * 5)
    choice = choose(QuestionBank.of((half, one), 8), Belief(np.zeros(8)), (), ENDLESS)
    assert choice.question is one
    assert choice.considered[0].worth_bits > choice.considered[1].worth_bits


def test_equal_questions_are_asked_in_their_order() -> None:
    first = yes_no("first", [True, False])
    second = yes_no("second", [False, True])
    for order in ((first, second), (second, first)):
        choice = choose(QuestionBank.of(order, 2), Belief(np.zeros(2)), (), ENDLESS)
        assert choice.question is order[0]


def test_nothing_is_asked_twice() -> None:
    pool = make_pool()
    bank, belief = questions(pool), Belief.of(pool)
    asked: list[str] = []
    while (question := choose(bank, belief, asked, ENDLESS).question) is not None:
        asked.append(question.question_id)
        belief = update(belief, question, question.options[0].option_id)
    assert sorted(asked) == sorted(question.question_id for question in bank.questions)


def test_four_answers_are_enough() -> None:
    pool = make_pool()
    bank = questions(pool)
    asked = [question.question_id for question in bank.questions[:4]]
    rules = StopRules(sure_mass=2.0, least_gain_bits=-1.0)
    assert choose(bank, Belief.of(pool), asked, rules).stop is Stop.ENOUGH


def test_it_ends_when_ten_titles_hold_half_of_the_belief() -> None:
    pool = make_pool()
    weights = np.full(120, 0.5 / 110)
    weights[:10] = 0.05
    surely, hardly = (
        Belief(np.log(weights)),
        Belief(np.log(weights * np.r_[[0.98] * 10, [1] * 110])),
    )
    assert choose(questions(pool), surely, ("era", "genre")).stop is Stop.SURE
    assert choose(questions(pool), hardly, ("era", "genre")).question is not None
    assert choose(questions(pool), surely, ("era",)).question is not None, "one may be wrong"


def test_a_sure_belief_is_no_reason_not_to_begin() -> None:
    pool = make_pool(8)
    assert choose(questions(pool), Belief.of(pool), ()).question is not None


def test_it_ends_when_no_question_tells_anything() -> None:
    bank = QuestionBank.of((yes_no("same", [True] * 40),), 40)
    choice = choose(bank, Belief(np.zeros(40)), ())
    assert choice.question is None
    assert choice.stop is Stop.NO_GAIN


def test_without_questions_nothing_is_asked() -> None:
    choice = choose(QuestionBank.of((), 3), Belief(np.zeros(3)), ())
    assert choice.stop is Stop.NO_GAIN
    assert choice.considered == ()


def test_an_unknown_question_is_an_error() -> None:
    with pytest.raises(KeyError):
        questions(make_pool()).of_id("nothing")
