"""Which question to ask next: the largest expected drop of entropy less what asking costs."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recap.quiz.belief import Belief
from services.recap.quiz.question import Likelihood, Question, noisy

SURE_TITLES: Final = 10
SURE_MASS: Final = 0.5
LEAST_GAIN_BITS: Final = 0.05
LEAST_ANSWERS: Final = 2
MOST_ANSWERS: Final = 4


class Stop(IntEnum):
    """Why nothing more is asked; numbers are those of the contract."""

    SURE = 1
    NO_GAIN = 2
    ENOUGH = 3
    SKIPPED = 4


@dataclass(frozen=True, slots=True)
class StopRules:
    """When to ask no more; `sure_mass` above 1 and `least_gain_bits` below 0 never stop.

    What is of none of the `kinds` is never asked; no kinds are all of them.
    """

    most_answers: int = MOST_ANSWERS
    sure_mass: float = SURE_MASS
    least_gain_bits: float = LEAST_GAIN_BITS
    kinds: frozenset[str] = frozenset()


STOP_RULES: Final = StopRules()
ENDLESS: Final = StopRules(sure_mass=2.0, least_gain_bits=-float("inf"))


@dataclass(frozen=True, slots=True, eq=False)
class Considered:
    """A question that was weighed."""

    question: Question
    gain_bits: float
    cost_bits: float

    @property
    def worth_bits(self) -> float:
        """What the order goes by."""
        return self.gain_bits - self.cost_bits


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The question to ask, or why there is none; `considered` is best first."""

    question: Question | None
    stop: Stop | None
    considered: tuple[Considered, ...]


@dataclass(frozen=True, slots=True, eq=False)
class QuestionBank:
    """All questions of a pool, stacked so that all are weighed at once; o options in total."""

    questions: tuple[Question, ...]  # (q,)
    likelihood: Likelihood  # (o, n), with noise
    starts: NDArray[np.int64]  # (q,) the first option of each question
    surprise_bits: Likelihood  # (o, n) -p log p: summed by question, what an answer has by chance
    costs_bits: NDArray[np.float64]  # (q,)

    @classmethod
    def of(cls, questions: tuple[Question, ...], title_count: int) -> "QuestionBank":
        """Stack the questions of a pool of so many titles."""
        if not questions:
            return cls.of_stacked(questions, np.empty((0, title_count)))
        stacked = np.concatenate([one.likelihood for one in questions])
        return cls.of_stacked(questions, noisy(stacked, [len(one.options) for one in questions]))

    @classmethod
    def of_stacked(cls, questions: tuple[Question, ...], likelihood: Likelihood) -> "QuestionBank":
        """The bank of questions whose `likelihood` (o, n), with noise, is stacked already."""
        counts = np.array([len(question.options) for question in questions], dtype=np.int64)
        return cls(
            questions=questions,
            likelihood=likelihood,
            starts=np.cumsum(counts) - counts,
            surprise_bits=-likelihood * np.log2(likelihood),
            costs_bits=np.array([question.cost_bits for question in questions]),
        )

    def of_id(self, question_id: str) -> Question:
        """The question of that id; raises KeyError if there is none."""
        for question in self.questions:
            if question.question_id == question_id:
                return question
        raise KeyError(question_id)

    def gains_bits(self, belief: Belief) -> NDArray[np.float64]:
        """The mutual information (q,) of each answer and the wanted title."""
        if not self.questions or not len(belief.log_weights):
            return np.zeros(len(self.questions))
        probabilities = belief.probabilities.astype(self.likelihood.dtype)
        answers = self.likelihood @ probabilities
        told = -answers * np.log2(answers) - self.surprise_bits @ probabilities
        return np.asarray(np.add.reduceat(told, self.starts), dtype=np.float64)


def choose(
    bank: QuestionBank,
    belief: Belief,
    asked: Collection[str],
    rules: StopRules = STOP_RULES,
) -> Choice:
    """What to ask after the questions whose ids are `asked`; equal worth goes to the earlier."""
    gains = bank.gains_bits(belief)
    order = np.argsort(-(gains - bank.costs_bits), kind="stable").tolist()
    considered = tuple(
        Considered(bank.questions[place], float(gains[place]), bank.questions[place].cost_bits)
        for place in order
        if bank.questions[place].question_id not in asked
        and (not rules.kinds or bank.questions[place].kind in rules.kinds)
    )
    stop = _stop(belief, considered, len(asked), rules)
    return Choice(None if stop else considered[0].question, stop, considered)


def _stop(
    belief: Belief, considered: tuple[Considered, ...], asked_count: int, rules: StopRules
) -> Stop | None:
    if asked_count >= rules.most_answers:
        return Stop.ENOUGH
    # Before an answer it is not the viewer who made the belief sure, and one answer may be wrong.
    if asked_count >= LEAST_ANSWERS and belief.mass_of_top(SURE_TITLES) >= rules.sure_mass:
        return Stop.SURE
    if not considered or considered[0].gain_bits < rules.least_gain_bits:
        return Stop.NO_GAIN
    return None
