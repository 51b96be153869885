"""The state of one quiz: whom it is for, the pool it began with, what was asked and answered."""

import dataclasses
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.identifiers import check_id
from libs.domain.viewing import UNKNOWN_CONTEXT, ViewingContext
from services.recap.quiz.length import USUAL, Length

# An evening: whoever comes back tomorrow is in another mood.
LASTS_MS: Final = 4 * 3_600_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked; `stamp` tells it from another one under the same id."""

    question_id: str
    stamp: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What was said to a question."""

    asked: Asked
    option_id: str


@dataclass(frozen=True, slots=True, eq=False)
class QuizState:
    """All that a quiz goes on with. It holds its pool, so that every replica asks the same."""

    quiz_id: str
    profile_id: str  # empty is somebody anonymous
    pack_id: str
    context: ViewingContext
    expires_ms: int
    bundle_version: str  # whose vectors and popularity the questions were made with
    title_ids: tuple[str, ...]  # (n,) best first
    scores: NDArray[np.float16]  # (n,) at mean 0 and deviation 1
    answers: tuple[Answered, ...] = field(default=())
    asked: Asked | None = None  # None when the quiz is over
    length: Length = USUAL

    def __post_init__(self) -> None:
        check_id("quiz_id", self.quiz_id)
        if self.profile_id:
            check_id("profile_id", self.profile_id)
        if self.pack_id:
            check_id("pack_id", self.pack_id)

    @property
    def asked_ids(self) -> tuple[str, ...]:
        """The questions answered so far."""
        return tuple(answered.asked.question_id for answered in self.answers)

    @property
    def beginning(self) -> tuple[object, ...]:
        """What a quiz keeps: there may be another one of its id, of somebody anonymous."""
        return (
            self.quiz_id,
            self.pack_id,
            self.expires_ms,
            self.bundle_version,
            self.title_ids,
            self.scores.tobytes(),
            self.length,
        )

    def asking(self, asked: Asked | None) -> "QuizState":
        """The state that waits for an answer to `asked`; None ends the quiz."""
        return dataclasses.replace(self, asked=asked)

    def answering(self, option_id: str) -> "QuizState":
        """The state after an answer to what was asked."""
        assert self.asked is not None  # noqa: S101 - the caller has compared it
        answered = Answered(self.asked, option_id)
        return dataclasses.replace(self, answers=(*self.answers, answered), asked=None)

    def up_to(self, count: int, asked: Asked | None) -> "QuizState":
        """The state as it was after `count` answers."""
        return dataclasses.replace(self, answers=self.answers[:count], asked=asked)

    def owned_by(self, profile_id: str) -> "QuizState":
        """The same quiz as a profile's own."""
        return dataclasses.replace(self, profile_id=profile_id)


def compact(scores: NDArray[np.float32]) -> NDArray[np.float16]:
    """Scores (n,) as a state keeps them: only differences relative to their spread matter."""
    if len(scores) == 0:
        return scores.astype(np.float16)
    wide = scores.astype(np.float64)
    spread = float(wide.std())
    return np.asarray((wide - wide.mean()) / (spread or 1.0), np.float16)


def new_state(
    quiz_id: str,
    profile_id: str,
    *,
    pack_id: str,
    context: ViewingContext = UNKNOWN_CONTEXT,
    now_ms: int,
    bundle_version: str,
    title_ids: tuple[str, ...],
    scores: NDArray[np.float32],
    length: Length = USUAL,
) -> QuizState:
    """A quiz that begins now, over what Recommend has answered."""
    return QuizState(
        quiz_id=quiz_id,
        profile_id=profile_id,
        pack_id=pack_id,
        context=context,
        expires_ms=now_ms + LASTS_MS,
        bundle_version=bundle_version,
        title_ids=title_ids,
        scores=compact(scores),
        length=length,
    )
