"""The play of a quiz: from a board and a state to the next question or the end of it."""

import dataclasses
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.identifiers import check_id
from libs.faults import InvalidField
from services.recap.quiz.belief import Belief
from services.recap.quiz.board import Board, asked
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import DONT_CARE, SKIP, Answer, Question
from services.recap.quiz.quiz import Said
from services.recap.quiz.quiz_state import Asked, QuizState
from services.recap.quiz.selection import Choice, Stop, StopRules
from services.recap.quiz.slate import SLATE_SIZE, Slate, slate

# So many of the likeliest titles go with the question for the page as this session's evidence.
SEED_TITLES: Final = 10

_SAYS_NOTHING: Final = (DONT_CARE, SKIP)


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """Where a quiz stands: the belief, the answers behind it, and those that were lost."""

    board: Board
    said: tuple[Said, ...]  # (question_id, option_id); a lost one says nothing
    belief: Belief
    # What kinds of questions the catalogue no longer asks as they were answered.
    lost_kinds: tuple[str, ...]

    @property
    def telling(self) -> tuple[Said, ...]:
        """The answers that have said something."""
        return tuple(one for one in self.said if one[1] not in _SAYS_NOTHING)


def position(board: Board, state: QuizState) -> Position:
    """Replay the answers; one whose question is no longer what it was moves nothing.

    What was said to it while it was not there may be no option of it once it is back.
    """
    said, lost = [], []
    for answered in state.answers:
        asked_id = answered.asked.question_id
        is_lost = not _is_known(board, answered.asked, answered.option_id)
        said.append((asked_id, DONT_CARE if is_lost else answered.option_id))
        if is_lost:
            lost.append(asked_id.partition(":")[0])
    return Position(board, tuple(said), board.quiz.belief(said), tuple(lost))


def _is_known(board: Board, asked: Asked, option_id: str) -> bool:
    """Whether the answer says nothing, or the question is made as it was asked and has it."""
    question = board.question(asked)
    options = () if question is None else question.options
    return option_id in (*_SAYS_NOTHING, *(option.option_id for option in options))


def check_answer(board: Board, state: QuizState, question_id: str, option_id: str) -> None:
    """Raise InvalidField unless it answers what the state asks."""
    if state.asked is None:
        raise InvalidField("question_id", "the quiz is over: nothing was asked")
    if question_id != state.asked.question_id:
        told = "was answered already" if question_id in state.asked_ids else "was not asked"
        raise InvalidField("question_id", told)
    check_id("option_id", option_id)
    # Whatever is said to a question that the catalogue no longer makes moves nothing.
    if board.question(state.asked) is not None and not _is_known(board, state.asked, option_id):
        raise InvalidField("option_id", "is no option of the question that was asked")


def next_step(
    board: Board, state: QuizState, rules: StopRules
) -> tuple[QuizState, Position, Choice]:
    """What follows from the answers so far: the state that asks on, or that is over."""
    here = position(board, state)
    choice = board.quiz.choice(here.said, rules)
    if state.answers and state.answers[-1].option_id == SKIP:
        choice = dataclasses.replace(choice, question=None, stop=Stop.SKIPPED)
    question = choice.question
    return state.asking(None if question is None else asked(question)), here, choice


def seeds(here: Position) -> tuple[tuple[str, float], ...]:
    """The likeliest titles with weights up to 1, once an answer has said something."""
    if not here.telling:
        return ()
    probabilities = here.belief.probabilities
    best = np.argsort(-probabilities, kind="stable")[:SEED_TITLES]
    weights = probabilities[best] / probabilities[best[0]]
    titles = here.board.pool.titles
    return tuple(
        (titles[row].title_id, weight)
        for row, weight in zip(best.tolist(), weights.tolist(), strict=True)
        if weight > 0
    )


def result(
    here: Position, page: Pool, limit: int = SLATE_SIZE, *, is_personal: bool = True
) -> Slate:
    """The slate out of a page: its own scores, moved by what was answered.

    A title of the page that was not in the quiz's pool is taken for an average one of it: no
    answer speaks for or against it. Of a page that is not `is_personal` the scores say no more
    than what everybody watches; where a bundle has learnt that together with what the answers
    tell, it is taken from there.
    """
    lost = tuple(f"{kind}: the catalogue has changed since" for kind in here.lost_kinds)
    if not page.titles:
        return Slate((), lost)
    row_of = {title_id: row for row, title_id in enumerate(here.board.pool.title_ids)}
    rows = np.array([row_of.get(title_id, -1) for title_id in page.title_ids], np.int64)
    tastes = here.board.quiz.tastes
    if tastes is not None and not is_personal:
        expected = tastes.log_expectations(here.telling)
        belief = Belief(np.where(rows >= 0, expected[rows], expected.min()))
    else:
        belief = Belief(Belief.of(page).log_weights + _moved(here, rows))
    answers = [
        Answer(_over(here.board.by_id[asked_id], rows), option_id)
        for asked_id, option_id in here.telling
    ]
    made = slate(page, belief, answers, limit)
    return dataclasses.replace(made, relaxed=(*made.relaxed, *lost))


def _moved(here: Position, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far (m,) the answers have moved titles: `rows` are those of the pool, -1 for none."""
    pool = here.board.pool
    if not pool.titles:
        return np.zeros(len(rows))
    moved = here.belief.log_weights - Belief.of(pool).log_weights
    most = moved.max()
    average = most + np.log(np.exp(moved - most) @ pool.prior)
    return np.where(rows >= 0, moved[rows], average)


def _over(question: Question, rows: NDArray[np.int64]) -> Question:
    """The question over other titles (m,): `rows` are those of its own, -1 for none."""
    is_known = rows >= 0
    likelihood = np.full((len(question.options), len(rows)), 1.0 / len(question.options))
    likelihood[:, is_known] = question.likelihood[:, rows[is_known]]
    fits = np.zeros(likelihood.shape, np.bool_)
    fits[:, is_known] = question.fits[:, rows[is_known]]
    return dataclasses.replace(question, likelihood=likelihood, fits=fits)
