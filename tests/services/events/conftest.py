"""The stores of one machine, and the service on each of them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import grpc.aio
import pytest

from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from reprise.events.v1 import events_pb2_grpc
from tests.services.events.made_service import Store, Stub, served


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = (
        MemoryEventStore()
        if request.param == "memory"
        else SqliteEventStore(tmp_path / "events.sqlite")
    )
    with closing(made):
        yield made


@pytest.fixture
async def channel(store: Store) -> AsyncIterator[grpc.aio.Channel]:
    async with served(store) as opened:
        yield opened


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Stub:
    return events_pb2_grpc.EventsServiceStub(channel)
