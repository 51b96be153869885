"""Calls of one transaction, in every store; and a file that cannot take one."""

import contextlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from libs.domain.event import DAY_MS
from libs.faults import PartUnavailable
from libs.features.profile_state import replay
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from libs.storage.recorded import Recorded
from libs.storage.transaction_lost import TransactionLost
from services.events.ports import EventStore
from tests.made_events import START_MS, assert_same_state, assert_same_table, impression, watch

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS


def test_calls_of_one_transaction_fail_alone(store: EventStore) -> None:
    with store.transaction():
        store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
        with contextlib.suppress(ZeroDivisionError), store.transaction():
            store.record_events(TENANT, [watch("b", START_MS)], NOW_MS)
            raise ZeroDivisionError
        store.record_events(TENANT, [watch("d", START_MS)], NOW_MS)
    found = store.history(TENANT, "profile0", most=9)
    assert [event.event_id for event in found] == ["d", "a"]


def test_a_transaction_that_raises_leaves_nothing(store: EventStore) -> None:
    store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
    before = store.title_table(TENANT, None, "", now_ms=NOW_MS)
    with contextlib.suppress(ZeroDivisionError), store.transaction():
        store.record_events(TENANT, [watch("b", START_MS)], NOW_MS)
        raise ZeroDivisionError
    store.record_events(TENANT, [impression("c", START_MS)], NOW_MS)
    after = store.title_table(TENANT, None, "", now_ms=NOW_MS)
    np.testing.assert_allclose(after.counters[0, :5], before.counters[0, :5])
    state = store.profile_state(TENANT, "profile0", None)
    assert_same_state(state, replay([watch("a", START_MS), impression("c", START_MS)]))


def test_a_part_that_raises_leaves_nothing_of_itself(store: EventStore) -> None:
    with store.transaction():
        store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
        with contextlib.suppress(ZeroDivisionError), store.transaction():
            store.record_events(TENANT, [watch("b", START_MS)], NOW_MS)
            raise ZeroDivisionError
    found = store.profile_state(TENANT, "profile0", None)
    assert_same_state(found, replay([watch("a", START_MS)]))


def test_calls_of_one_transaction_know_each_other(store: EventStore) -> None:
    with store.transaction():
        store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
        again = store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
    assert again == Recorded(0, (0,))
    found = store.profile_state(TENANT, "profile0", None)
    assert_same_state(found, replay([watch("a", START_MS)]))


def test_a_full_disk_undoes_the_transaction_and_counts_nothing_twice(tmp_path: Path) -> None:
    some = [watch(f"event{place}", START_MS, title_id=f"t{place}") for place in range(500)]
    with closing(SqliteEventStore(tmp_path / "events.sqlite")) as store:
        store.record_events(TENANT, [watch("before", START_MS)], NOW_MS)
        limit_pages(store, 2)

        def record_together() -> None:
            with store.transaction():
                store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
                with contextlib.suppress(PartUnavailable, TransactionLost):
                    store.record_events(TENANT, some, NOW_MS)
                limit_pages(store, 1_000_000)
                with pytest.raises(TransactionLost):
                    store.record_events(TENANT, [watch("b", START_MS)], NOW_MS)

        with pytest.raises(PartUnavailable):
            record_together()
        limit_pages(store, 1_000_000)
        left = store.history(TENANT, "profile0", most=9)
        assert [event.event_id for event in left] == ["before"]
        for event_id in ("a", "b"):
            store.record_events(TENANT, [watch(event_id, START_MS)], NOW_MS)
        wanted = [watch(event_id, START_MS) for event_id in ("before", "a", "b")]
        assert_same_state(store.profile_state(TENANT, "profile0", None), replay(wanted))
        fake = MemoryEventStore()
        fake.record_events(TENANT, wanted, NOW_MS)
        assert_same_table(
            store.title_table(TENANT, None, "", now_ms=NOW_MS),
            fake.title_table(TENANT, None, "", now_ms=NOW_MS),
        )


def limit_pages(store: SqliteEventStore, spare: int) -> None:
    """Let the file grow by so many pages and no more, as a disk that is nearly full does."""
    connection = store._writer.connection
    (count,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {count + spare}")
