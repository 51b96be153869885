"""The quiz of a recap service without its servers: the same path, called straight."""

import asyncio
import dataclasses
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from libs.domain.decision import Part
from libs.domain.viewing import UNKNOWN_CONTEXT
from libs.storage.recap.database import open_file
from reprise.recap.v1 import quiz_pb2
from services.recap.quiz.codec import answer_response, length, said, start_response
from services.recap.quiz.quizzes import Quizzes
from services.recap.quiz.rankings import Rankings
from services.recap.ranking_client import Page, SlateQuery
from tests.made_quizzes import SteadyRanking, made_quizzes, material_of
from tests.made_tastes import TITLES, make_taste_model

ResultT = TypeVar("ResultT")


def _always() -> float:
    return 9.0


class MaimedRanking(SteadyRanking):
    """Answers without candidates."""

    async def recommend(self, tenant: str, query: SlateQuery, *, timeout_s: float) -> Page:
        page = await super().recommend(tenant, query, timeout_s=timeout_s)
        return dataclasses.replace(page, degraded=(Part.CANDIDATES,))


class StraightStub:
    """Calls quizzes on a loop of its own; counts its calls."""

    def __init__(self, quizzes: Quizzes, rankings: Rankings) -> None:
        self._quizzes = quizzes
        self._rankings = rankings
        self._loop = asyncio.new_event_loop()
        self.call_count = 0

    def StartQuiz(  # noqa: N802 - the names are the contract's
        self, request: quiz_pb2.StartQuizRequest, /, *, timeout: float
    ) -> quiz_pb2.StartQuizResponse:
        step = self._wait(
            self._quizzes.start(
                "default", request.quiz_id, "", "", UNKNOWN_CONTEXT, _always, length(request)
            )
        )
        ranked = self._wait(self._rankings.after("default", step, request.ranking_limit, _always))
        return start_response(step, ranked, explains=False)

    def AnswerQuizQuestion(  # noqa: N802
        self, request: quiz_pb2.AnswerQuizQuestionRequest, /, *, timeout: float
    ) -> quiz_pb2.AnswerQuizQuestionResponse:
        step = self._wait(self._quizzes.answer("default", said(request), _always))
        ranked = self._wait(self._rankings.after("default", step, request.ranking_limit, _always))
        return answer_response(step, ranked, explains=False)

    def close(self) -> None:
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        self.call_count += 1
        return self._loop.run_until_complete(work)


@contextmanager
def straight_stub(
    folder: Path, *, is_maimed: bool = False, most_questions: int = 99
) -> Iterator[StraightStub]:
    """The quiz over the titles of `made_tastes`, with what 400 profiles have taught."""
    model = make_taste_model()
    asked = [place for place, one in enumerate(model.questions) if one.kind != "era"][
        :most_questions
    ]
    material = dataclasses.replace(
        material_of(list(TITLES.values())),
        tastes=(model.of_questions(asked),),
    )
    with closing(open_file(folder / "recap.sqlite")) as database:
        quizzes, ranking, held = made_quizzes(database, lambda: 1, material=material)
        shown = MaimedRanking(ranking.title_ids) if is_maimed else ranking
        with closing(StraightStub(quizzes, Rankings(lambda tenant: held, shown))) as stub:
            yield stub
