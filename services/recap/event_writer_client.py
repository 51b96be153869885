"""The events service as recap writes to it: prompts and answers of quizzes."""

from collections.abc import Sequence
from typing import Final

import grpc.aio

from libs.domain.event import Event, Prompt, QuizAnswer
from libs.domain.rejection import Rejection, RejectionReason
from libs.serving.channels import call
from libs.serving.decoding import timestamp, viewing_context_message
from libs.serving.identity import NO_CREDENTIALS, Credentials
from libs.serving.quiz_answer_codec import quiz_answer_message
from reprise.events.v1 import events_pb2, events_pb2_grpc

WRITE_S: Final = 2.0

_REASONS: Final = {reason.value: reason for reason in RejectionReason}


class EventWriterClient:
    """One channel to the events service."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._stub = events_pb2_grpc.EventsServiceStub(channel)

    async def record_events(self, tenant: str, events: Sequence[Event]) -> tuple[Rejection, ...]:
        """Record a batch but for what is rejected; raises a Fault when that did not happen."""
        answer = await call(
            "events",
            self._stub.RecordEvents,
            events_pb2.RecordEventsRequest(events=[_message(event) for event in events]),
            timeout_s=WRITE_S,
            metadata=self._credentials.metadata(tenant),
        )
        return tuple(
            Rejection(one.index, _reason(one.reason), one.field, one.problem)
            for one in answer.rejections
        )


def _reason(number: int) -> RejectionReason:
    """What a newer events service alone has a name for is a rejection like any other."""
    return _REASONS.get(number, RejectionReason.INVALID_FIELD)


def _message(event: Event) -> events_pb2.Event:
    message = events_pb2.Event(
        event_id=event.event_id,
        profile_id=event.profile_id,
        session_id=event.session_id,
        kind=events_pb2.EventKind.ValueType(event.kind),
        occurred_at=timestamp(event.occurred_ms),
        sequence=event.sequence,
        title_id=event.title_id,
        context=viewing_context_message(event.context),
    )
    match event.detail:
        case Prompt(prompt_id=prompt_id):
            message.prompt.CopyFrom(events_pb2.Prompt(prompt_id=prompt_id))
        case QuizAnswer() as answer:
            message.quiz_answer.CopyFrom(quiz_answer_message(answer))
        case _:
            raise TypeError(f"recap records no {event.kind.name}")
    return message
