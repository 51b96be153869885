"""QuizService: decode, call, encode."""

from typing import Any, TypeAlias

import grpc.aio

from libs.serving.deadlines import deadline_of
from libs.serving.decoding import viewing_context
from libs.serving.identity import tenant_of
from reprise.recap.v1 import quiz_pb2, quiz_pb2_grpc
from services.recap.quiz.codec import (
    answer_response,
    dismiss_response,
    length,
    offer_response,
    ranking_limit,
    said,
    start_response,
)
from services.recap.quiz.offers import Offers
from services.recap.quiz.quizzes import Quizzes
from services.recap.quiz.rankings import Rankings

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class QuizServicer(quiz_pb2_grpc.QuizServiceServicer):
    """The quiz of all tenants."""

    def __init__(self, offers: Offers, quizzes: Quizzes, rankings: Rankings) -> None:
        self._offers = offers
        self._quizzes = quizzes
        self._rankings = rankings

    async def OfferQuiz(  # noqa: N802 - the names are the contract's
        self, request: quiz_pb2.OfferQuizRequest, context: Context
    ) -> quiz_pb2.OfferQuizResponse:
        """Whether to offer the quiz now; takes the slot if so."""
        verdict = await self._offers.offer(
            tenant_of(context),
            request.profile_id,
            request.offer_id,
            viewing_context(request.context, "context"),
            deadline_of(context).remaining_s,
            says_playing=request.is_playing,
        )
        return offer_response(verdict)

    async def DismissQuiz(  # noqa: N802
        self, request: quiz_pb2.DismissQuizRequest, context: Context
    ) -> quiz_pb2.DismissQuizResponse:
        """Note that an offer was not wanted."""
        until_ms = await self._offers.dismiss(
            tenant_of(context), request.profile_id, request.offer_id
        )
        return dismiss_response(until_ms)

    async def StartQuiz(  # noqa: N802
        self, request: quiz_pb2.StartQuizRequest, context: Context
    ) -> quiz_pb2.StartQuizResponse:
        """Begin a quiz, or go on with the one of that id."""
        tenant, time_left_s = tenant_of(context), deadline_of(context).remaining_s
        limit = ranking_limit(request.ranking_limit)
        step = await self._quizzes.start(
            tenant,
            request.quiz_id,
            request.profile_id,
            request.pack_id,
            viewing_context(request.context, "context"),
            time_left_s,
            length(request),
        )
        ranked = await self._rankings.after(tenant, step, limit, time_left_s)
        return start_response(step, ranked, explains=request.explain)

    async def AnswerQuizQuestion(  # noqa: N802
        self, request: quiz_pb2.AnswerQuizQuestionRequest, context: Context
    ) -> quiz_pb2.AnswerQuizQuestionResponse:
        """Take an answer and ask on, or end with the slate."""
        tenant, time_left_s = tenant_of(context), deadline_of(context).remaining_s
        limit = ranking_limit(request.ranking_limit)
        step = await self._quizzes.answer(tenant, said(request), time_left_s)
        ranked = await self._rankings.after(tenant, step, limit, time_left_s)
        return answer_response(step, ranked, explains=request.explain)
