"""The events service in this process: real server, real channel, the store of a test."""

import contextlib
from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc.aio

from libs.domain.event import DAY_MS, Event
from libs.serving.channels import call, open_channel
from libs.serving.identity import as_everybody
from libs.serving.server import running
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.__main__ import assemble
from services.events.events_codec import event_messages
from tests.made_events import START_MS, impression, watch

NOW_MS = START_MS + 100 * DAY_MS
TENANT = "default"

EVENTS = [
    watch("a", START_MS, country="DE"),
    watch("b", START_MS + DAY_MS, title_id="x", country="DE"),
    impression("c", START_MS + 2 * DAY_MS, title_id="x"),
]

Store: TypeAlias = MemoryEventStore | SqliteEventStore
Stub: TypeAlias = "events_pb2_grpc.EventsServiceAsyncStub"


@contextlib.asynccontextmanager
async def served(store: Store, now_ms: int = NOW_MS) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the service over a store, which is closed with it."""
    async with (
        running(
            lambda ready: assemble(
                store, ready, authorize=as_everybody, most_waiting=10_000, clock=lambda: now_ms
            )
        ) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield channel


async def record(stub: Stub, events: list[Event]) -> events_pb2.RecordEventsResponse:
    return await send(stub, event_messages(events))


async def send(stub: Stub, messages: list[events_pb2.Event]) -> events_pb2.RecordEventsResponse:
    request = events_pb2.RecordEventsRequest(events=messages)
    return await call("events", stub.RecordEvents, request, timeout_s=5)


async def history(stub: Stub, **fields: object) -> events_pb2.ListHistoryResponse:
    request = events_pb2.ListHistoryRequest(profile_id="profile0", **fields)  # type: ignore[arg-type]  # by name
    return await call("events", stub.ListHistory, request, timeout_s=5)
