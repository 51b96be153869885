"""Compaction changes no feature and no day, forgets no id, and can be stopped at any moment."""

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event, EventKind
from libs.faults import HistoryCompacted, StartFault
from libs.features.title_table import TitleTable
from libs.features.watched_days import watched_days
from libs.storage import compaction
from libs.storage.compaction import FIRST, believed_ms, compact_before, compact_file
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from libs.storage.rebuild import rebuild_file
from services.events.ports import EventStore
from tests.made_events import START_MS, assert_same_state, event_lists, impression, watch

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS
PROFILES = ("profile0", "profile1")
# The ends of the days around which events are made.
CUTS = st.integers(-1, 42).map(lambda days: (START_MS // DAY_MS + days) * DAY_MS)

properties = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def compact(store: EventStore, until_ms: int) -> int:
    after: compaction.Place | None = FIRST
    count = 0
    while after is not None:
        done = store.compact(until_ms, after)
        count, after = count + done.event_count, done.after
    return count


def assert_same_table(found: TitleTable, wanted: TitleTable) -> None:
    assert found.title_ids == wanted.title_ids
    # What an erasure leaves of a counter that was all the profile's is nothing, up to rounding.
    np.testing.assert_allclose(found.counters, wanted.counters, rtol=1e-6, atol=1e-9)
    assert found.country_counters.keys() == wanted.country_counters.keys()
    for country, counters in found.country_counters.items():
        np.testing.assert_allclose(counters, wanted.country_counters[country], rtol=1e-6, atol=1e-9)


def assert_same(found: EventStore, wanted: EventStore, times: tuple[int, ...] = ()) -> None:
    """Features, now and as of `times`, and days."""
    for as_of_ms in (None, *times):
        for profile_id in PROFILES:
            assert_same_state(
                found.profile_state(TENANT, profile_id, as_of_ms),
                wanted.profile_state(TENANT, profile_id, as_of_ms),
            )
        assert_same_table(
            found.title_table(TENANT, as_of_ms, "DE", now_ms=NOW_MS),
            wanted.title_table(TENANT, as_of_ms, "DE", now_ms=NOW_MS),
        )
    for profile_id in PROFILES:
        assert found.watched_days(TENANT, profile_id) == wanted.watched_days(TENANT, profile_id)


def features(path: Path) -> list[list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608  a constant
            for table in ("profile_titles", "profile_counters", "title_counters")
        ]


@properties
@given(event_lists(most=20), st.tuples(CUTS, CUTS), st.integers(0, 20), st.integers(0, 20))
def test_compaction_changes_no_feature_and_no_day(
    fresh: Callable[[], EventStore],
    some: list[Event],
    cuts: tuple[int, int],
    first: int,
    second: int,
) -> None:
    store, never = fresh(), MemoryEventStore()
    never.record_events(TENANT, some, NOW_MS)
    edges = sorted([min(first, len(some)), min(second, len(some))])
    # What comes after the first step may be older than what it has compacted.
    store.record_events(TENANT, some[: edges[0]], NOW_MS)
    compact(store, cuts[0])
    store.record_events(TENANT, some[edges[0] : edges[1]], NOW_MS)
    compact(store, cuts[1])
    store.record_events(TENANT, some[edges[1] :], NOW_MS)
    times = tuple(
        one for one in (*cuts, max(cuts) + 1, max(cuts) + DAY_MS // 3, NOW_MS) if one >= max(cuts)
    )
    assert_same(store, never, times)
    again = store.record_events(TENANT, some, NOW_MS)
    assert again.duplicate_indexes == tuple(range(len(some)))
    assert_same(store, never, times)


@properties
@given(event_lists(most=20), CUTS, st.integers(0, 20))
def test_features_made_anew_after_a_compaction_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, some: list[Event], cut: int, late: int
) -> None:
    path = tmp_path_factory.mktemp("compaction") / "events.sqlite"
    never = MemoryEventStore()
    never.record_events(TENANT, some, NOW_MS)
    with closing(SqliteEventStore(path)) as store:
        store.record_events(TENANT, some[late:], NOW_MS)
        before = features(path)
        compact(store, cut)
        assert features(path) == before  # to the bit
        store.record_events(TENANT, some[:late], NOW_MS)
    with closing(sqlite3.connect(path)) as connection:
        for table in ("profile_titles", "profile_counters", "title_counters"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608  a constant
        connection.commit()
    for _ in rebuild_file(path):
        pass
    with closing(SqliteEventStore(path)) as store:
        assert_same(store, never)


@properties
@given(event_lists(most=20), CUTS, st.integers(0, 20))
def test_an_erasure_takes_what_was_compacted_too(
    fresh: Callable[[], EventStore], some: list[Event], cut: int, late: int
) -> None:
    store, never = fresh(), MemoryEventStore()
    store.record_events(TENANT, some[late:], NOW_MS)
    compact(store, cut)
    store.record_events(TENANT, some[:late], NOW_MS)
    erasure = store.erase_profile(TENANT, "profile0", (), NOW_MS)
    mine = [event for event in some if event.profile_id == "profile0"]
    assert erasure.event_count == len(mine)
    assert erasure.oldest_event_ms == min((event.occurred_ms for event in mine), default=None)
    others = [event for event in some if event.profile_id != "profile0"]
    never.record_events(TENANT, others, NOW_MS)
    found, wanted = (one.title_table(TENANT, None, "DE", now_ms=NOW_MS) for one in (store, never))
    kept = dict(zip(found.title_ids, found.counters, strict=True))
    for title_id, counters in zip(wanted.title_ids, wanted.counters, strict=True):
        np.testing.assert_allclose(kept.pop(title_id), counters, rtol=1e-6, atol=1e-9)
    assert all(np.abs(counters).max() < 1e-9 for counters in kept.values())
    assert store.watched_days(TENANT, "profile0") == []
    assert store.profile_state(TENANT, "profile0", None).newest_ms == 0
    again = store.record_events(TENANT, mine, NOW_MS)
    assert [one.index for one in again.rejections] == list(range(len(mine)))
    assert_same_table(
        store.title_table(TENANT, NOW_MS, "DE", now_ms=NOW_MS),
        never.title_table(TENANT, NOW_MS, "DE", now_ms=NOW_MS),
    )


def test_nothing_is_told_of_a_time_before_what_is_compacted(store: EventStore) -> None:
    until_ms = compact_before(START_MS + 20 * DAY_MS, 10)
    store.record_events(
        TENANT, [watch("old", START_MS), watch("new", START_MS + 15 * DAY_MS)], NOW_MS
    )
    assert store.compacted_until_ms(TENANT) == -1
    assert compact(store, until_ms) == 1
    assert store.compacted_until_ms(TENANT) == until_ms
    with pytest.raises(HistoryCompacted) as caught:
        store.history(TENANT, "profile0", most=5, as_of_ms=until_ms - 1)
    assert caught.value.metadata["compacted_until_ms"] == str(until_ms)
    with pytest.raises(HistoryCompacted):
        store.profile_state(TENANT, "profile0", until_ms - 1)
    with pytest.raises(HistoryCompacted):
        store.title_table(TENANT, until_ms - 1, "", now_ms=NOW_MS)
    (left,) = store.history(TENANT, "profile0", most=5)
    assert left.event_id == "new"
    assert store.history(TENANT, "profile0", most=5, as_of_ms=until_ms) == []
    assert store.profile_state(TENANT, "profile0", until_ms).newest_ms == START_MS
    # Of another tenant nothing is compacted.
    assert store.profile_state("other", "profile0", START_MS).newest_ms == 0


def test_a_late_event_is_taken_and_compacted_with_the_next(store: EventStore) -> None:
    store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
    until_ms = compact_before(START_MS + 20 * DAY_MS, 10)
    assert compact(store, until_ms) == 1
    late = watch("b", START_MS - DAY_MS, from_ms=5_000, to_ms=10_000)
    assert store.record_events(TENANT, [late], NOW_MS).recorded_count == 1
    assert [event.event_id for event in store.history(TENANT, "profile0", most=5)] == ["b"]
    (record,) = store.profile_state(TENANT, "profile0", None).records
    assert record["watched_ms"] == 10_000
    assert compact(store, until_ms) == 1
    assert store.history(TENANT, "profile0", most=5) == []
    assert [one.watched_ms for one in store.watched_days(TENANT, "profile0")] == [5_000, 5_000]


def test_a_transaction_that_fails_compacts_nothing(store: EventStore) -> None:
    store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)

    def fail() -> None:
        with store.transaction():
            compact(store, START_MS)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert len(store.history(TENANT, "profile0", most=5)) == 1
    assert store.compacted_until_ms(TENANT) == -1


def test_steps_are_bounded_and_events_come_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_STEP_PROFILES", 3)
    monkeypatch.setattr(compaction.step, "__defaults__", (7,))
    some = [
        watch(f"e{n}", START_MS + n, profile_id=f"profile{n % 2}", title_id=f"title{n % 5}")
        for n in range(50)
    ]
    never = MemoryEventStore()
    never.record_events(TENANT, some, NOW_MS)
    until_ms = compact_before(START_MS + 20 * DAY_MS, 10)
    with closing(SqliteEventStore(tmp_path / "events.sqlite")) as store:
        store.record_events(TENANT, some[:20], NOW_MS)
        after: compaction.Place | None = FIRST
        counts = []
        left = some[20:]
        while after is not None:
            done = store.compact(until_ms, after)
            counts.append(done.event_count)
            after = done.after
            store.record_events(TENANT, left[:2], NOW_MS)
            left = left[2:]
            # As of a time, too: base and the rest are never of two moments.
            assert store.profile_state(TENANT, "profile0", NOW_MS).newest_ms > 0
        store.record_events(TENANT, left, NOW_MS)
        assert max(counts) == 7
        assert_same(store, never, (NOW_MS,))


def test_nothing_of_an_erased_profile_is_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store:
        some = [
            watch(f"marker{n}", START_MS + n, profile_id="marker-of-a-profile") for n in range(50)
        ]
        store.record_events(TENANT, some, NOW_MS)
        compact(store, START_MS + DAY_MS)
        store.erase_profile(TENANT, "marker-of-a-profile", (), NOW_MS)
        assert store.scrub(["marker-of-a-profile"])
    assert b"marker" not in path.read_bytes()


_COMPACTS = """
import sys
from pathlib import Path
from libs.storage import compaction
compaction.step.__defaults__ = (25,)
steps = compaction.compact_file(Path(sys.argv[1]), int(sys.argv[2]))
for count in steps:
    print(count, flush=True)
"""


def test_a_kill_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    random = Random(3)
    kinds = (EventKind.PLAY, EventKind.PROGRESS, EventKind.COMPLETE)
    some = [
        watch(
            f"e{n}",
            START_MS + random.randrange(10 * DAY_MS),
            profile_id=f"profile{n % 2}",
            title_id=f"title{random.randrange(9)}",
            kind=random.choice(kinds),
            country=random.choice(["", "DE"]),
        )
        for n in range(1_500)
    ]
    never = MemoryEventStore()
    never.record_events(TENANT, some, NOW_MS)
    with closing(SqliteEventStore(path)) as store:
        store.record_events(TENANT, some, NOW_MS)
    until_ms = compact_before(START_MS + 18 * DAY_MS, 10)
    arguments = [sys.executable, "-c", _COMPACTS, str(path), str(until_ms)]
    for _ in range(6):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(random.randrange(1, 4)):
                process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
        with closing(SqliteEventStore(path)) as store:
            left = sum(len(store.history(TENANT, one, most=2_000)) for one in PROFILES)
            assert 0 < left < len(some)
            assert_same(store, never, (NOW_MS,))
    *_, count = compact_file(path, until_ms)
    assert count > 0
    for _ in rebuild_file(path):
        pass
    with closing(SqliteEventStore(path)) as store:
        assert_same(store, never, (until_ms, NOW_MS))
        assert store.record_events(TENANT, some, NOW_MS).duplicate_count == len(some)
        told = [event for one in PROFILES for event in store.history(TENANT, one, most=2_000)]
    assert {event.event_id for event in told} == {
        event.event_id for event in some if event.occurred_ms > until_ms
    }


def test_bases_of_another_feature_schema_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store:
        store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
        compact(store, START_MS)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE compactions SET feature_schema = 0")
        connection.commit()
    with pytest.raises(StartFault, match="compacted events of feature schema 0"):
        next(rebuild_file(path))


def test_days_are_kept_from_before_the_day_is_over(store: EventStore) -> None:
    some = [
        watch("a", START_MS, kind=EventKind.PLAY),
        dataclasses.replace(impression("b", START_MS), title_id="title1"),
        watch("c", START_MS + 1, kind=EventKind.COMPLETE),
    ]
    store.record_events(TENANT, some, NOW_MS)
    compact(store, START_MS)  # in the middle of a day
    (day,) = store.watched_days(TENANT, "profile0")
    assert [day] == watched_days(some)
    assert (day.play_count, day.complete_count, day.watched_ms) == (1, 1, 10_000)


def test_the_days_of_the_log_are_those_of_all_tenants(store: EventStore) -> None:
    assert store.active_days(2) == []
    some = [watch(f"e{n}", START_MS + days * DAY_MS) for n, days in enumerate((0, 3, 3, 7))]
    store.record_events(TENANT, some, NOW_MS)
    first = START_MS // DAY_MS
    assert store.active_days(2) == [first + 7, first + 3]
    store.record_events("other", [watch("x", START_MS + 5 * DAY_MS)], NOW_MS)
    assert store.active_days(2) == [first + 7, first + 5]
    assert store.active_days(9) == [first + 7, first + 5, first + 3, first]
    compact(store, START_MS + 4 * DAY_MS)
    assert store.active_days(9) == [first + 7, first + 5]


def test_a_clock_is_believed_as_far_as_two_days_of_events_say() -> None:
    today = NOW_MS // DAY_MS
    # Where something happens every day the clock alone decides; a client may be a day ahead.
    for days in ([today, today - 1], [today + 1, today], [today + 1, today, today - 1]):
        assert compact_before(believed_ms(NOW_MS, days), 30) == compact_before(NOW_MS, 30)
    assert believed_ms(NOW_MS, [today, today - 9]) == (today - 8) * DAY_MS
    assert compact_before(believed_ms(NOW_MS, [today]), 30) < 0
    assert compact_before(believed_ms(NOW_MS, []), 30) < 0


def test_what_is_kept_is_counted_in_whole_days() -> None:
    assert compact_before(NOW_MS, 7) % DAY_MS == 0
    assert 7 * DAY_MS <= NOW_MS - compact_before(NOW_MS, 7) < 8 * DAY_MS


def test_a_random_file_that_is_none_cannot_be_compacted(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"no database " * 100)
    with pytest.raises(StartFault):
        next(compact_file(path, NOW_MS))
