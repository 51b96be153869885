"""The events service as recap uses it: histories."""

import time
from typing import Final

import grpc.aio

from libs.domain.event import (
    Event,
    EventKind,
    Rating,
    Recording,
    Thumb,
    ThumbDirection,
    WatchedInterval,
)
from libs.domain.viewing import ViewingContext
from libs.faults import DeadlineSpent
from libs.serving.channels import call
from libs.serving.decoding import time_ms, timestamp
from libs.serving.identity import NO_CREDENTIALS, Credentials
from reprise.events.v1 import events_pb2, events_pb2_grpc

_PART: Final = "events"
_PAGE: Final = 1_000


class EventsClient:
    """One channel to the events service."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._stub = events_pb2_grpc.EventsServiceStub(channel)

    async def events(
        self,
        tenant: str,
        profile_id: str,
        *,
        kinds: tuple[EventKind, ...],
        until_ms: int,
        timeout_s: float,
    ) -> list[Event]:
        """All of one profile's of these kinds up to a time, newest first; raises a Fault."""
        end_s = time.monotonic() + timeout_s
        found: list[Event] = []
        token = ""
        while True:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise DeadlineSpent(_PART)
            answer = await call(
                _PART,
                self._stub.ListHistory,
                events_pb2.ListHistoryRequest(
                    profile_id=profile_id,
                    page_size=_PAGE,
                    page_token=token,
                    kinds=[events_pb2.EventKind.ValueType(kind) for kind in kinds],
                    as_of=timestamp(until_ms),
                ),
                timeout_s=left_s,
                metadata=self._credentials.metadata(tenant),
            )
            found += [_event(message) for message in answer.events]
            token = answer.next_page_token
            if not token:
                return found


def _event(message: events_pb2.Event) -> Event:
    detail = message.WhichOneof("detail")
    value: WatchedInterval | Thumb | Rating | None = None
    if detail == "watched":
        watched = message.watched
        value = WatchedInterval(watched.from_ms, watched.to_ms, watched.duration_ms)
    elif detail == "thumb":
        value = Thumb(ThumbDirection(message.thumb.direction))
    elif detail == "rating":
        value = Rating(message.rating.value, message.rating.scale)
    return Event(
        event_id=message.event_id,
        profile_id=message.profile_id,
        session_id=message.session_id,
        kind=EventKind(message.kind),
        occurred_ms=time_ms(message.occurred_at, "occurred_at"),
        sequence=message.sequence,
        title_id=message.title_id,
        context=ViewingContext(time_zone=message.context.time_zone),
        detail=value,
        recording=Recording(
            recorded_ms=time_ms(message.recording.recorded_at, "recorded_at"),
            schema_version=message.recording.schema_version,
        ),
    )
