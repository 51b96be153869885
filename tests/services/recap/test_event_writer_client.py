import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from libs.domain.event import DAY_MS, Event, EventKind, Prompt, QuizAnswer, Wish
from libs.domain.rejection import Rejection, RejectionReason
from libs.domain.viewing import Device, Surface, ViewingContext
from libs.faults import PartUnavailable
from libs.serving.channels import open_channel
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import decode_event
from services.recap.event_writer_client import EventWriterClient
from tests.free_ports import free_port
from tests.made_suite import fill, served

CONTEXT = ViewingContext("Asia/Kolkata", Device.PHONE, "IN", "hi", Surface.HOME, True, "8a2a")


class NewerEvents(events_pb2_grpc.EventsServiceServicer):
    """An events service that rejects for a reason which this release does not know."""

    async def RecordEvents(self, request: Any, context: Any) -> Any:  # noqa: N802
        reason = events_pb2.RejectionReason.ValueType(99)
        rejection = events_pb2.Rejection(index=0, reason=reason, field="f", problem="p")
        return events_pb2.RecordEventsResponse(rejections=[rejection])


@asynccontextmanager
async def newer_events() -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server()
    newer = NewerEvents()  # type: ignore[abstract]  # it is asked for nothing else
    events_pb2_grpc.add_EventsServiceServicer_to_server(newer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with open_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


def shown(now_ms: int, event_id: str = "e1") -> Event:
    return Event(event_id, "p", EventKind.PROMPT_SHOWN, now_ms, context=CONTEXT, detail=Prompt("o"))


async def test_events_are_recorded_as_they_are(tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    answer = QuizAnswer("z", "pair:t01:t02", "o1", (Wish("t01", 1.0), Wish("t02", 0.25)))
    events = [
        shown(now_ms),
        Event("e2", "p", EventKind.QUIZ_ANSWER, now_ms - 1, 3, "s", "t01", CONTEXT, answer),
    ]
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        writer = EventWriterClient(suite.events)
        ahead = shown(now_ms + 2 * DAY_MS, "e3")
        [rejection] = await writer.record_events("default", [*events, ahead])
        assert await writer.record_events("default", events) == (), "again"
        stub = events_pb2_grpc.EventsServiceStub(suite.events)
        history = await stub.ListHistory(events_pb2.ListHistoryRequest(profile_id="p"))
    assert [decode_event(message) for message in history.events] == events
    assert (rejection.index, rejection.reason) == (2, RejectionReason.AHEAD)


async def test_what_is_no_event_of_recaps_is_not_sent() -> None:
    async with open_channel(f"127.0.0.1:{free_port()}") as channel:
        with pytest.raises(TypeError, match="records no LOGIN"):
            await EventWriterClient(channel).record_events(
                "default", [Event("e", "p", EventKind.LOGIN, 1)]
            )
        with pytest.raises(PartUnavailable):
            await EventWriterClient(channel).record_events("default", [shown(1)])


async def test_a_reason_that_only_a_newer_release_knows_is_a_rejection_all_the_same() -> None:
    async with newer_events() as channel:
        found = await EventWriterClient(channel).record_events("default", [shown(1)])
    assert found == (Rejection(0, RejectionReason.INVALID_FIELD, "f", "p"),)
