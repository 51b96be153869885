import numpy as np
import pytest

from services.recap.quiz.belief import Belief, update
from services.recap.quiz.question import DONT_CARE, Question, QuestionOption
from tests.services.recap.quiz.made_pools import make_pool


def make_question(*fits: list[bool]) -> Question:
    carried = np.array(fits)
    likelihood = carried / carried.sum(axis=0)
    options = tuple(QuestionOption(f"o{row}", f"Option {row}", "why") for row in range(len(fits)))
    return Question("q", "mood", "Which?", options, likelihood, carried, 0.0)


QUESTION = make_question([True, False, False, True], [False, True, True, False])


def test_an_answer_raises_what_it_fits_and_rules_nothing_out() -> None:
    belief = Belief.of(make_pool(4))
    after = update(belief, QUESTION, "o1")
    raised = after.probabilities > belief.probabilities
    np.testing.assert_array_equal(raised, [False, True, True, False])
    assert after.probabilities.min() > 0


def test_a_tenth_of_the_answers_is_taken_to_be_given_at_random() -> None:
    belief = Belief(np.zeros(4))
    probabilities = update(belief, QUESTION, "o0").probabilities
    assert probabilities[0] / probabilities[1] == pytest.approx(0.95 / 0.05)


def test_answers_commute() -> None:
    other = make_question([True, True, False, False], [False, False, True, True])
    belief = Belief.of(make_pool(4))
    one = update(update(belief, QUESTION, "o0"), other, "o1")
    two = update(update(belief, other, "o1"), QUESTION, "o0")
    np.testing.assert_allclose(one.probabilities, two.probabilities)


def test_not_caring_changes_nothing() -> None:
    belief = Belief.of(make_pool(4))
    assert update(belief, QUESTION, DONT_CARE) is belief


def test_an_option_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError):
        update(Belief.of(make_pool(4)), QUESTION, "o7")


def test_entropy_is_in_bits() -> None:
    assert Belief(np.zeros(8)).entropy_bits == pytest.approx(3.0)
    assert Belief(np.array([0.0, -1e9])).entropy_bits == pytest.approx(0.0)


def test_the_mass_of_the_top_is_that_of_the_likeliest() -> None:
    belief = Belief(np.log(np.array([0.1, 0.4, 0.2, 0.3])))
    assert belief.mass_of_top(2) == pytest.approx(0.7)


def test_a_belief_in_nothing_has_no_probabilities() -> None:
    belief = Belief.of(make_pool(0))
    assert len(belief.probabilities) == 0
    assert belief.mass_of_top(10) == 0.0
    assert belief.entropy_bits == 0.0


@pytest.mark.parametrize("count", [1, 6])
def test_a_question_has_two_to_five_options(count: int) -> None:
    options = tuple(QuestionOption(f"o{row}", "text", "why") for row in range(count))
    with pytest.raises(ValueError, match="2 to 5"):
        Question("q", "mood", "?", options, np.ones((count, 3)), np.ones((count, 3), bool), 0.0)
