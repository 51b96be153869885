import pytest

from libs.faults import InvalidField
from services.recap.quiz.length import MOST_ANSWERS, USUAL, Length
from services.recap.quiz.selection import StopRules

RULES = StopRules(most_answers=4, sure_mass=0.5, least_gain_bits=0.05)


def test_who_asks_for_nothing_gets_the_usual_rules() -> None:
    assert USUAL.rules(RULES) == RULES


def test_more_answers_keep_the_other_rules() -> None:
    assert Length(7).rules(RULES) == StopRules(7, 0.5, 0.05)


def test_asking_on_ends_by_the_number_of_answers_alone() -> None:
    rules = Length(asks_on=True).rules(RULES)
    assert rules.most_answers == 4
    assert rules.sure_mass > 1
    assert rules.least_gain_bits < -1e9


def test_only_kinds_that_there_are_may_be_asked_for() -> None:
    assert Length(kinds=("genre",)).rules(RULES).kinds == {"genre"}
    with pytest.raises(InvalidField, match=r"kinds\[1\]"):
        Length(kinds=("genre", "weather"))
    with pytest.raises(InvalidField, match="kinds"):
        Length(kinds=("genre",) * 11)


@pytest.mark.parametrize("count", [-1, MOST_ANSWERS + 1])
def test_no_quiz_is_longer_than_the_longest(count: int) -> None:
    with pytest.raises(InvalidField, match="max_answers"):
        Length(count)
