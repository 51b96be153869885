"""Retention over the fake and the embedded store, beside those who write."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from libs.domain.event import DAY_MS
from libs.faults import PartUnavailable
from libs.storage.compaction import CompactionStep, Place
from libs.storage.decision_table import KEPT_MS
from libs.storage.memory_event_store import MemoryEventStore
from services.events.group_commit import GroupCommit
from services.events.retention import Retention
from tests.made_decisions import decision
from tests.made_events import START_MS, watch
from tests.services.events.made_service import Store

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS


@pytest.fixture
async def commits(store: Store) -> AsyncIterator[GroupCommit]:
    made = GroupCommit(store, most_waiting=10_000)
    yield made
    await made.close()


def fill(store: Store) -> None:
    some = [
        watch(f"e{n}", START_MS + (n % 100) * DAY_MS, profile_id=f"profile{n % 7}")
        for n in range(2_500)
    ]
    store.record_events(TENANT, some, NOW_MS)


async def test_what_is_older_than_the_setting_is_compacted(
    store: Store, commits: GroupCommit
) -> None:
    fill(store)
    retention = Retention(store, commits, lambda: NOW_MS, days=30)
    new = [watch(f"new{n}", NOW_MS + n, profile_id="profile0") for n in range(20)]
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(retention.keep())
        recording = [
            tasks.create_task(commits.run(1, partial(store.record_events, TENANT, [event], NOW_MS)))
            for event in new
        ]
    kept = keeping.result()
    assert 1_700 < kept < 1_800
    assert all(one.result().recorded_count == 1 for one in recording)
    left = [event for n in range(7) for event in store.history(TENANT, f"profile{n}", most=3_000)]
    assert len(left) == 2_500 - kept + len(new)
    assert min(event.occurred_ms for event in left) > store.compacted_until_ms(TENANT)
    assert await retention.keep() == 0


async def test_by_default_every_event_is_kept_and_no_old_decision(
    store: Store, commits: GroupCommit
) -> None:
    fill(store)
    store.record_decisions(TENANT, [decision()], NOW_MS - KEPT_MS - 1)
    assert await Retention(store, commits, lambda: NOW_MS, days=0).keep() == 0
    assert store.compacted_until_ms(TENANT) == -1
    assert store.decisions_of(TENANT, "profile0") == []


class Failing(MemoryEventStore):
    """Compacts in its second try."""

    def __init__(self) -> None:
        super().__init__()
        self.tries = 0
        self.is_done = asyncio.Event()

    def compact(self, until_ms: int, after: Place) -> CompactionStep:
        self.tries += 1
        if self.tries == 1:
            raise PartUnavailable("events", "the disk is full")
        done = super().compact(until_ms, after)
        self.is_done.set()
        return done


async def test_what_could_not_be_compacted_is_tried_again() -> None:
    store = Failing()
    fill(store)
    commits = GroupCommit(store, most_waiting=10_000)
    running = asyncio.create_task(
        Retention(store, commits, lambda: NOW_MS, days=30, every_s=0.01).run()
    )
    async with asyncio.timeout(5):
        await store.is_done.wait()
    running.cancel()
    await asyncio.wait([running])
    await commits.close()
    assert store.compacted_until_ms(TENANT) > 0
