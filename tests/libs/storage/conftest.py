"""Stores for the tests that each of them must pass."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from libs.storage.recorded_log import RecordedLog, open_log
from services.events.ports import EventStore
from tests.made_databases import PostgresDatabases


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], EventStore]]:
    """Makes stores; what it made is closed at the end."""
    with contextlib.ExitStack() as stack:

        def make_memory() -> EventStore:
            return MemoryEventStore()

        def make_sqlite() -> EventStore:
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            return stack.enter_context(closing(SqliteEventStore(folder / "events.sqlite")))

        if request.param == "postgres":
            databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
            yield stack.enter_context(databases.fresh_stores())
        else:
            yield {"memory": make_memory, "sqlite": make_sqlite}[request.param]


@pytest.fixture
def store(fresh: Callable[[], EventStore]) -> EventStore:
    return fresh()


Logs = Callable[[], AbstractContextManager[tuple[EventStore, RecordedLog]]]


@pytest.fixture(params=["sqlite", "postgres"])
def logs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Opens a new log, with who writes it and who reads it."""

    @contextmanager
    def in_file() -> Iterator[tuple[EventStore, RecordedLog]]:
        path = tmp_path_factory.mktemp("log") / "events.sqlite"
        with closing(SqliteEventStore(path)) as store, closing(open_log(path, None)) as reader:
            yield store, reader

    @contextmanager
    def in_database() -> Iterator[tuple[EventStore, RecordedLog]]:
        databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
        url = databases.fresh()
        with (
            closing(databases.store(url)) as store,
            closing(databases.reader(url)) as reader,
        ):
            yield store, reader
        databases.give_back(url)

    return in_file if request.param == "sqlite" else in_database
