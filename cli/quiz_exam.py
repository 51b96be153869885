"""Plays quizzes with people whom training never saw, and judges what is shown to them."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from cli.quiz_answers import QuizAnswers
from libs.domain.title import Title
from libs.faults import StartFault
from libs.models.top import top_rows
from reprise.recap.v1 import quiz_pb2
from training.evaluation import ndcg_at_k
from training.judge import NDCG_AT
from training.opinions import Opinions

# The questions that a history answers; of the years somebody likes, say, it tells less surely.
KINDS: Final = ("title", "genre", "pair")
# Enough that ten are left when what answered is masked; the most that there are.
RANKED: Final = 500
CALL_S: Final = 30.0


class QuizStub(Protocol):
    """The quiz of a running suite, as far as it is played here."""

    def StartQuiz(  # noqa: N802 - the names are the contract's
        self, request: quiz_pb2.StartQuizRequest, /, *, timeout: float
    ) -> quiz_pb2.StartQuizResponse:
        """Begin a quiz."""
        ...

    def AnswerQuizQuestion(  # noqa: N802
        self, request: quiz_pb2.AnswerQuizQuestionRequest, /, *, timeout: float
    ) -> quiz_pb2.AnswerQuizQuestionResponse:
        """Answer what was asked."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class QuizScores:
    """NDCG (p, answers + 1) of the lists of p people after 0, 1, … answers."""

    ndcg: NDArray[np.float64]
    kinds: tuple[Counter[str], ...]  # of the first, second, … question


@dataclass(frozen=True, slots=True, eq=False)
class QuizExam:
    """What the hidden people watched, halved: one half answers, the other is the truth.

    `watched`, `liked` and `truth` are (p, n) over `title_ids` (n,), the full catalogue.
    """

    title_ids: tuple[str, ...]
    titles: Mapping[str, Title]
    watched: NDArray[np.float32]
    liked: NDArray[np.float32]
    truth: NDArray[np.float32]

    @classmethod
    def of(
        cls, title_ids: tuple[str, ...], titles: Mapping[str, Title], hidden: Opinions, seed: int
    ) -> "QuizExam":
        """Halve the histories of `hidden` at random; who has no truth is left out."""
        places = np.arange(len(hidden), dtype=np.int64)
        halves = hidden.halves(places, np.random.default_rng(seed))
        has_truth = halves[2].sum(axis=1) > 0
        watched, liked, truth = (half[has_truth] for half in halves)
        return cls(title_ids, titles, watched, liked, truth)

    def answers(self, genre_shares: Mapping[str, float]) -> QuizAnswers:
        """What the people answer."""
        return QuizAnswers(self.title_ids, self.titles, self.watched, self.liked, genre_shares)

    def popular(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """NDCG (p,) of what most have watched, by `counts` (n,)."""
        order = top_rows(counts.astype(np.float32), len(counts)).astype(np.int32)
        return np.array([self._ndcg(person, order) for person in range(len(self.truth))])

    def played(
        self,
        stub: QuizStub,
        told: QuizAnswers,
        *,
        answers: int,
        error_rate: float,
        seed: int,
        on_done: Callable[[], None] = lambda: None,
    ) -> QuizScores:
        """Ask everybody as many questions; wrong answers fall on any option.

        Raises StartFault where a quiz has not as many, or is made without one of its parts.
        """
        rng = np.random.default_rng(seed)
        row_of = {title_id: row for row, title_id in enumerate(self.title_ids)}
        ndcg = np.zeros((len(self.truth), answers + 1))
        kinds: tuple[Counter[str], ...] = tuple(Counter() for _ in range(answers))

        def judged(person: int, ranking: quiz_pb2.Ranking) -> float:
            if ranking.degraded:
                raise StartFault("a part of the suite is away: this would be no measurement")
            rows = [row_of[one] for one in ranking.title_ids if one in row_of]
            return self._ndcg(person, np.array(rows, np.int32))

        for person in range(len(self.truth)):
            quiz_id = f"exam-{person}"
            begun = stub.StartQuiz(
                quiz_pb2.StartQuizRequest(
                    quiz_id=quiz_id,
                    max_answers=answers,
                    without_stop_rules=True,
                    kinds=KINDS,
                    ranking_limit=RANKED,
                ),
                timeout=CALL_S,
            )
            ndcg[person, 0] = judged(person, begun.ranking)
            question, state = begun.question, begun.state
            for number in range(answers):
                if not question.options:
                    raise StartFault(f"the quiz has only {number} questions of {', '.join(KINDS)}")
                option_id = told.option_id(person, question)
                if error_rate and rng.random() < error_rate:
                    place = int(rng.integers(len(question.options)))
                    option_id = question.options[place].option_id
                kinds[number][question.kind] += 1
                step = stub.AnswerQuizQuestion(
                    quiz_pb2.AnswerQuizQuestionRequest(
                        quiz_id=quiz_id,
                        state=state,
                        question_id=question.question_id,
                        option_id=option_id,
                        ranking_limit=RANKED,
                    ),
                    timeout=CALL_S,
                )
                ndcg[person, number + 1] = judged(person, step.ranking)
                question, state = step.question, step.state
            on_done()
        return QuizScores(ndcg, kinds)

    def _ndcg(self, person: int, order: NDArray[np.int32]) -> float:
        """Of the list without all that answered, asked about or not."""
        ranked = order[self.watched[person, order] == 0][:NDCG_AT]
        return ndcg_at_k(ranked, np.flatnonzero(self.truth[person]).astype(np.int32), NDCG_AT)
