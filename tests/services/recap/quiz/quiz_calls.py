"""Calls of a quiz over a real server, for tests."""

import asyncio
from collections.abc import Callable
from typing import Any

from libs.serving.channels import call
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import quiz_pb2, quiz_pb2_grpc
from tests.made_suite import Served

WITHIN_S = 20.0


def first_option(question: Any) -> str:
    return str(question.options[0].option_id)


async def history(suite: Served, profile_id: str, count: int) -> list[Any]:
    """The profile's events, once there are so many."""
    stub = events_pb2_grpc.EventsServiceStub(suite.events)
    request = events_pb2.ListHistoryRequest(profile_id=profile_id)
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = list((await stub.ListHistory(request)).events)
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)


class Player:
    """Somebody who plays one quiz; empty `profile_id` is somebody anonymous."""

    def __init__(
        self, suite: Served, quiz_id: str = "z", profile_id: str = "", pack_id: str = ""
    ) -> None:
        self._stub = quiz_pb2_grpc.QuizServiceStub(suite.recap)
        self.quiz_id = quiz_id
        self.profile_id = profile_id
        self.pack_id = pack_id
        self.step: Any = None

    async def start(self, **more: Any) -> Any:
        request = quiz_pb2.StartQuizRequest(
            quiz_id=self.quiz_id, profile_id=self.profile_id, pack_id=self.pack_id, **more
        )
        self.step = await call("recap", self._stub.StartQuiz, request, timeout_s=WITHIN_S)
        return self.step

    def request(self, option_id: str, **more: Any) -> quiz_pb2.AnswerQuizQuestionRequest:
        """What answers the question that was asked last."""
        fields = {
            "quiz_id": self.quiz_id,
            "profile_id": self.profile_id,
            "state": self.step.state,
            "question_id": self.step.question.question_id,
            "option_id": option_id,
        }
        return quiz_pb2.AnswerQuizQuestionRequest(**{**fields, **more})

    async def send(self, request: quiz_pb2.AnswerQuizQuestionRequest) -> Any:
        return await call("recap", self._stub.AnswerQuizQuestion, request, timeout_s=WITHIN_S)

    async def answer(self, option_id: str, **more: Any) -> Any:
        self.step = await self.send(self.request(option_id, **more))
        return self.step

    async def play(self, choose: Callable[[Any], str] = first_option) -> Any:
        """Answer until it is over; the result."""
        if self.step is None:
            await self.start()
        while not self.step.HasField("result"):
            await self.answer(choose(self.step.question))
        return self.step.result
