"""A question with what each answer would mean for every candidate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

MOST_OPTIONS: Final = 5
# The share of answers that are taken to be given at random.
NOISE: Final = 0.1
# Double or single precision: what a bundle has learnt is single.
Likelihood: TypeAlias = NDArray[np.floating[Any]]

# Fit every question: an answer that says nothing, and one that ends the quiz.
DONT_CARE: Final = "dont_care"
SKIP: Final = "skip"


def noisy(likelihood: Likelihood, option_counts: Sequence[int]) -> Likelihood:
    """`likelihood` (o, n) of stacked questions where a share NOISE of answers is given at random.

    `option_counts` is how many of the rows are of each question.
    """
    counts = np.array(option_counts)
    even = np.repeat(NOISE / np.maximum(counts, 1), counts).astype(likelihood.dtype)
    return np.asarray((1.0 - NOISE) * likelihood + even[:, None])


@dataclass(frozen=True, slots=True)
class QuestionOption:
    """One answer; `reason` is why a title fits that keeps it, in words.

    `label` is the one that it stands for, such as "mood:dark", if it is one.
    """

    option_id: str
    text: str
    reason: str
    title_id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Something to ask; `likelihood` (o, n) is P(option | the title is wanted), of columns sum 1.

    A column of equal numbers is a title that the question says nothing about. `fits` (o, n) is
    which titles keep each answer.
    """

    question_id: str
    kind: str
    text: str
    options: tuple[QuestionOption, ...]  # (o,) 2 to MOST_OPTIONS
    likelihood: Likelihood  # (o, n)
    fits: NDArray[np.bool_]  # (o, n)
    cost_bits: float

    def __post_init__(self) -> None:
        if not 2 <= len(self.options) <= MOST_OPTIONS:
            raise ValueError(f"{self.question_id} must have 2 to {MOST_OPTIONS} options")
        if self.likelihood.shape != self.fits.shape or len(self.fits) != len(self.options):
            raise ValueError(f"{self.question_id} must have a row of likelihood and fits an option")

    @property
    def noisy(self) -> Likelihood:
        """`likelihood` (o, n) where a share NOISE of the answers falls on any option alike."""
        return noisy(self.likelihood, [len(self.likelihood)])

    def place_of(self, option_id: str) -> int:
        """The row of an option; raises KeyError if the question has none such."""
        for place, option in enumerate(self.options):
            if option.option_id == option_id:
                return place
        raise KeyError(option_id)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What was chosen of a question."""

    question: Question
    option_id: str
