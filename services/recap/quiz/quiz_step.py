"""What comes into a quiz and goes out of it: an answer, and the step that it leads to."""

from dataclasses import dataclass

from services.recap.quiz.play import Position
from services.recap.quiz.question import Question
from services.recap.quiz.quiz_result import QuizResult
from services.recap.quiz.quiz_state import QuizState
from services.recap.quiz.selection import Choice


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """How the belief stands, and what was weighed."""

    position: Position
    choice: Choice


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What a viewer gets: a question or the result, and the state to go on with."""

    state: QuizState
    token: bytes
    question: Question | None
    result: QuizResult | None
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Said:
    """One answer as it came in."""

    quiz_id: str
    profile_id: str
    token: bytes
    question_id: str
    option_id: str
