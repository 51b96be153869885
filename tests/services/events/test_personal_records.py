"""Exports and erasures over every store, with services that come and go."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from libs.domain.decision import Decision
from libs.domain.event import DAY_MS
from libs.domain.profile import Profile
from libs.faults import PartUnavailable
from libs.storage.compaction import FIRST
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from services.events.group_commit import GroupCommit
from services.events.personal_records import PersonalRecords
from services.events.ports import EventStore
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, watch

TENANT = "default"
NOW_MS = START_MS + 5


class Other:
    """A service that holds lines about profiles, and may be away."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.is_away = False
        self.lines: dict[tuple[str, str], list[str]] = {}
        self.asked = asyncio.Event()

    @property
    def name(self) -> str:
        return self._name

    async def erase(self, tenant: str, profile_id: str, *, timeout_s: float) -> int:
        self.asked.set()
        if self.is_away:
            raise PartUnavailable(self.name, "away")
        return len(self.lines.pop((tenant, profile_id), []))

    async def export(self, tenant: str, profile_id: str) -> AsyncIterator[str]:
        if self.is_away:
            raise PartUnavailable(self.name, "away")
        for line in self.lines.get((tenant, profile_id), []):
            yield line


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    with contextlib.ExitStack() as held:
        if request.param == "memory":
            yield filled(MemoryEventStore())
        elif request.param == "sqlite":
            path = tmp_path / "events.sqlite"
            yield filled(held.enter_context(contextlib.closing(SqliteEventStore(path))))
        else:
            databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
            yield filled(held.enter_context(databases.fresh_stores())())


def filled(made: EventStore) -> EventStore:
    made.record_events(TENANT, [watch(f"e{n}", START_MS + n) for n in range(1_234)], NOW_MS)
    made.upsert_profiles(TENANT, [Profile("profile0", "account0", country="PT")])
    page = Decision("page0", "profile0", START_MS, "explore", ("title0",), (0.5,))
    made.record_decisions(TENANT, [page], NOW_MS)
    return made


@pytest.fixture
def others() -> tuple[Other, Other]:
    first, second = Other("ranking"), Other("recap")
    first.lines[TENANT, "profile0"] = ['{"kind": "waiting", "data": {}}\n'] * 2
    return first, second


Records = Callable[[], PersonalRecords]


@pytest.fixture
async def records(store: EventStore, others: tuple[Other, Other]) -> AsyncIterator[Records]:
    commits = GroupCommit(store, most_waiting=10_000)
    made: list[PersonalRecords] = []

    def make() -> PersonalRecords:
        made.append(PersonalRecords(store, commits, others, lambda: NOW_MS, retry_s=0.01))
        return made[-1]

    yield make
    for one in made:
        await one.close()
    await commits.close()


async def exported(records: PersonalRecords, profile_id: str) -> list[dict[str, Any]]:
    text = "".join([lines async for lines in records.export(TENANT, profile_id)])
    return [json.loads(line) for line in text.splitlines()]


def kinds(lines: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for line in lines:
        key = (line["service"], line["kind"])
        found[key] = found.get(key, 0) + 1
    return found


async def test_an_export_holds_everything_once(records: Records) -> None:
    lines = await exported(records(), "profile0")
    assert kinds(lines) == {
        ("events", "profile"): 1,
        ("events", "event"): 1_234,
        ("events", "decision"): 1,
        ("events", "features"): 1,
        ("ranking", "waiting"): 2,
    }
    by_kind = {line["kind"]: line["data"] for line in lines}
    assert by_kind["profile"]["country"] == "PT"
    assert by_kind["decision"]["title_ids"] == ["title0"]
    assert by_kind["features"]["titles"][0]["rating"] is None
    ids = {line["data"]["event_id"] for line in lines if line["kind"] == "event"}
    assert len(ids) == 1_234


async def test_what_compacted_events_have_become_is_exported(
    store: EventStore, records: Records
) -> None:
    # Of 1,234 events some are older than what is kept; which is for the store to say.
    store.record_events(TENANT, [watch("old", START_MS - 3 * DAY_MS)], NOW_MS)
    store.compact(START_MS - DAY_MS, FIRST)
    lines = await exported(records(), "profile0")
    assert kinds(lines)["events", "event"] == 1_234
    days = [line["data"] for line in lines if line["kind"] == "day"]
    assert sum(day["watched_ms"] for day in days) == 1_235 * 5_000
    assert days[0]["day"] == "2023-11-11"
    assert len(days[0]["hours_ms"]) == 24


async def test_of_a_stranger_nothing_is_exported(records: Records) -> None:
    assert await exported(records(), "stranger") == []


async def test_half_an_export_is_none(records: Records, others: tuple[Other, Other]) -> None:
    others[1].is_away = True
    with pytest.raises(PartUnavailable, match="recap"):
        await exported(records(), "profile0")


async def test_an_erasure_reaches_everybody(records: Records, others: tuple[Other, Other]) -> None:
    erasure = await records().erase(TENANT, "profile0", time_left_s=5)
    assert erasure.is_complete
    assert (erasure.event_count, erasure.decision_count, erasure.had_profile) == (1_234, 1, True)
    assert [(one.service, one.erased_count) for one in erasure.services] == [
        ("ranking", 2),
        ("recap", 0),
    ]
    assert await exported(records(), "profile0") == []
    assert await records().erase(TENANT, "profile0", time_left_s=5) == erasure


async def test_who_is_away_is_asked_again_until_it_is_there(
    records: Records, others: tuple[Other, Other], store: EventStore
) -> None:
    others[0].is_away = True
    erasure = await records().erase(TENANT, "profile0", time_left_s=5)
    assert [(one.service, one.is_complete, one.problem) for one in erasure.services] == [
        ("ranking", False, "PART_UNAVAILABLE"),
        ("recap", True, ""),
    ]
    assert store.pending_erasures() == [(TENANT, "profile0")]
    others[0].asked.clear()
    # Another process finds what is pending in the store and goes on.
    running = asyncio.create_task(records().run())
    async with asyncio.timeout(20):
        await others[0].asked.wait()
        others[0].is_away = False
        while store.pending_erasures():
            await asyncio.to_thread(store.scrub)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    again = await records().erase(TENANT, "profile0", time_left_s=5)
    assert again.is_complete
    assert [one.erased_count for one in again.services] == [2, 0]


class Slow(MemoryEventStore):
    """A store that looks for what is pending until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_looking = threading.Event()
        self.may_go = threading.Event()
        self.has_looked = False

    def pending_erasures(self) -> list[tuple[str, str]]:
        self.is_looking.set()
        self.may_go.wait(20)
        self.has_looked = True
        return super().pending_erasures()


async def test_nothing_reads_the_store_after_the_end() -> None:
    store = Slow()
    commits = GroupCommit(store, most_waiting=10)
    records = PersonalRecords(store, commits, (), lambda: NOW_MS)
    running = asyncio.create_task(records.run())
    await asyncio.to_thread(store.is_looking.wait, 20)
    running.cancel()
    closing = asyncio.create_task(records.close())
    await asyncio.wait([closing], timeout=0.05)
    assert not closing.done()
    store.may_go.set()
    await closing
    assert store.has_looked
    await commits.close()


class Full(MemoryEventStore):
    """A store whose disk is full at first."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def pending_erasures(self) -> list[tuple[str, str]]:
        self.looks += 1
        if self.looks == 1:
            raise PartUnavailable("events", "disk full")
        return super().pending_erasures()


async def test_what_cannot_be_done_now_is_tried_again() -> None:
    store = Full()
    commits = GroupCommit(store, most_waiting=10)
    records = PersonalRecords(store, commits, (), lambda: NOW_MS, retry_s=0.001)
    running = asyncio.create_task(records.run())
    async with asyncio.timeout(20):
        while store.looks < 3:
            await asyncio.to_thread(store.scrub)
    assert not running.done()
    running.cancel()
    await records.close()
    await commits.close()
