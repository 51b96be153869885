"""Between the messages of the quiz and its values."""

from libs.serving.decoding import timestamp
from reprise.recap.v1 import quiz_pb2
from services.recap.quiz.prompt_policy import Refusal, Verdict


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
