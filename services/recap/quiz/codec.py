"""Between the messages of the quiz and its values."""

import numpy as np

from libs.faults import InvalidField
from libs.serving.decision_codec import part_messages
from libs.serving.decoding import timestamp
from reprise.recap.v1 import quiz_pb2
from services.recap.quiz.length import Length
from services.recap.quiz.ports import POOL_SIZE
from services.recap.quiz.prompt_policy import Refusal, Verdict
from services.recap.quiz.question import Question
from services.recap.quiz.quiz_result import QuizResult
from services.recap.quiz.quiz_step import Explanation, Said, Step
from services.recap.quiz.rankings import Ranked

_MOST_CONSIDERED = 10
_MOST_TOP = 10


def offer_response(verdict: Verdict) -> quiz_pb2.OfferQuizResponse:
    """The message of a verdict."""
    return quiz_pb2.OfferQuizResponse(
        is_offered=verdict.refusal is Refusal.NONE,
        refusal=quiz_pb2.OfferRefusal.ValueType(verdict.refusal),
        earliest_time=timestamp(verdict.earliest_ms) if verdict.earliest_ms else None,
    )


def dismiss_response(silenced_until_ms: int) -> quiz_pb2.DismissQuizResponse:
    """The message of a dismissal."""
    return quiz_pb2.DismissQuizResponse(
        silenced_until=timestamp(silenced_until_ms) if silenced_until_ms else None
    )


def length(request: quiz_pb2.StartQuizRequest) -> Length:
    """How long a quiz is to go on; raises InvalidField."""
    return Length(request.max_answers, request.without_stop_rules, tuple(request.kinds))


def ranking_limit(limit: int) -> int:
    """How many titles a ranking is to have; raises InvalidField for more than there may be."""
    if limit > POOL_SIZE:
        raise InvalidField("ranking_limit", f"must be at most {POOL_SIZE}")
    return limit


def start_response(
    step: Step, ranked: Ranked | None, *, explains: bool
) -> quiz_pb2.StartQuizResponse:
    """The message of a quiz's first step."""
    return quiz_pb2.StartQuizResponse(
        question=_question(step.question),
        state=step.token,
        result=_result(step.result),
        expires_at=timestamp(step.state.expires_ms),
        belief=_belief(step.explanation) if explains else None,
        ranking=_ranking(ranked),
    )


def said(request: quiz_pb2.AnswerQuizQuestionRequest) -> Said:
    """The answer of a request."""
    return Said(
        quiz_id=request.quiz_id,
        profile_id=request.profile_id,
        token=request.state,
        question_id=request.question_id,
        option_id=request.option_id,
    )


def answer_response(
    step: Step, ranked: Ranked | None, *, explains: bool
) -> quiz_pb2.AnswerQuizQuestionResponse:
    """The message of a quiz's next step."""
    return quiz_pb2.AnswerQuizQuestionResponse(
        question=_question(step.question),
        state=step.token,
        result=_result(step.result),
        belief=_belief(step.explanation) if explains else None,
        ranking=_ranking(ranked),
    )


def _ranking(ranked: Ranked | None) -> quiz_pb2.Ranking | None:
    if ranked is None:
        return None
    return quiz_pb2.Ranking(
        title_ids=[one.title_id for one in ranked.slate.titles],
        probabilities=[one.probability for one in ranked.slate.titles],
        degraded=part_messages(ranked.degraded),
    )


def _question(question: Question | None) -> quiz_pb2.Question | None:
    if question is None:
        return None
    return quiz_pb2.Question(
        question_id=question.question_id,
        kind=question.kind,
        text=question.text,
        options=[
            quiz_pb2.QuestionOption(option_id=one.option_id, text=one.text, title_id=one.title_id)
            for one in question.options
        ],
    )


def _result(result: QuizResult | None) -> quiz_pb2.QuizResult | None:
    if result is None:
        return None
    message = quiz_pb2.QuizResult(
        page_id=result.page_id,
        titles=[
            quiz_pb2.QuizTitle(
                title_id=one.title_id, reasons=one.reasons, probability_ratio=one.probability
            )
            for one in result.slate.titles
        ],
        relaxed=result.slate.relaxed,
        stopped_by=quiz_pb2.StopReason.ValueType(result.stop),
        degraded=part_messages(result.degraded),
    )
    if result.outcome is not None:
        told = result.outcome
        message.outcome.CopyFrom(
            quiz_pb2.PackOutcome(
                outcome_id=told.outcome_id,
                name=told.name,
                text=told.text,
                pack_name=told.pack_name,
                language=told.language,
            )
        )
    return message


def _belief(explanation: Explanation) -> quiz_pb2.Belief:
    belief, titles = explanation.position.belief, explanation.position.board.pool.titles
    probabilities = belief.probabilities
    best = np.argsort(-probabilities, kind="stable")[:_MOST_TOP]
    return quiz_pb2.Belief(
        entropy_bits=belief.entropy_bits,
        top_title_ids=[titles[row].title_id for row in best.tolist()],
        top_probabilities=probabilities[best].tolist(),
        considered=[
            quiz_pb2.ConsideredQuestion(
                kind=one.question.kind,
                text=one.question.text,
                gain_bits=one.gain_bits,
                cost_bits=one.cost_bits,
            )
            for one in explanation.choice.considered[:_MOST_CONSIDERED]
        ],
    )
