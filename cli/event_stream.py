"""StreamEvents as its clients use it: a window of batches on their way, resumed where it breaks."""

import queue
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc

from libs.domain.event import Event
from libs.faults import StartFault
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import event_messages

# One is committed while the next is read and those after it travel.
WINDOW: Final = 4
# A stream lasts as long as there is something to send.
STREAM_S: Final = 24 * 3600.0
# Between attempts without any progress; a service that starts again needs about a second.
PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
_BREAKS: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)

Request = events_pb2.StreamEventsRequest


@dataclass(slots=True)
class Streamed:
    """How many events were new and how many were recorded already."""

    recorded_count: int = 0
    duplicate_count: int = 0


def stream_events(
    stub: events_pb2_grpc.EventsServiceStub,
    batches: Iterable[Sequence[Event]],
    *,
    pauses_s: Sequence[float] = PAUSES_S,
) -> Streamed:
    """Send all batches as a backfill, each durable when its acknowledgement comes.

    After a break what was not acknowledged is sent again. Raises StartFault where an event is
    rejected, and grpc.RpcError when attempt after attempt got nowhere.
    """
    source, waiting, streamed = iter(batches), deque[Request](), Streamed()
    attempt = 0
    while True:
        before = streamed.recorded_count + streamed.duplicate_count
        try:
            _stream_once(stub, source, waiting, streamed)
        except grpc.RpcError as error:
            is_ahead = streamed.recorded_count + streamed.duplicate_count > before
            attempt = 0 if is_ahead else attempt
            if error.code() not in _BREAKS or attempt == len(pauses_s):
                raise
            time.sleep(pauses_s[attempt])
            attempt += 1
        else:
            return streamed


def _stream_once(
    stub: events_pb2_grpc.EventsServiceStub,
    source: Iterator[Sequence[Event]],
    waiting: deque[Request],
    streamed: Streamed,
) -> None:
    """One call: what waits first, then what `source` has; `waiting` keeps what is not durable."""
    # gRPC reads requests on a thread of its own: `source` stays on this one.
    sending: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
    for request in waiting:
        sending.put(request)
    answers: Any = stub.StreamEvents(iter(sending.get, None), timeout=STREAM_S)
    try:
        while True:
            while len(waiting) < WINDOW and (batch := next(source, None)) is not None:
                waiting.append(Request(events=event_messages(batch), backfill=True))
                sending.put(waiting[-1])
            if not waiting:
                return
            _note(next(answers), streamed)
            waiting.popleft()
    finally:
        sending.put(None)
        answers.cancel()


def _note(answer: events_pb2.StreamEventsResponse, streamed: Streamed) -> None:
    streamed.recorded_count += answer.recorded_count
    streamed.duplicate_count += answer.duplicate_count
    for rejection in answer.rejections:
        raise StartFault(
            f"events rejected {len(answer.rejections)} of a batch, first"
            f" {rejection.field}: {rejection.problem}"
        )
