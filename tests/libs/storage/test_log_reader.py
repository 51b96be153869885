from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from libs.domain.decision import Decision
from libs.domain.event import DAY_MS, Event
from libs.domain.profile import Profile
from libs.faults import PartUnavailable
from libs.features.event_columns import ROW_COLUMNS, EventColumns, between, from_events
from libs.features.profile_state import NO_BASE, replay
from libs.features.title_replay import NO_BASE as NO_TITLE_BASE
from libs.features.title_replay import TitleReplay
from libs.features.watched_days import watched_days
from libs.storage import event_log
from libs.storage.compaction import FIRST
from libs.storage.log_reader import LogReader
from libs.storage.postgres import log_tables
from tests.libs.storage.conftest import Logs
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, assert_same_state, event_lists, impression, watch

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(event_lists(most=15))
def test_columns_of_the_log_are_those_of_its_events(logs: Logs, some: list[Event]) -> None:
    with logs() as (store, reader):
        store.record_events(TENANT, some, NOW_MS)
        found, wanted = reader.columns(TENANT, NOW_MS), from_events(some)
        assert found.profile_ids == wanted.profile_ids
        assert found.title_ids == wanted.title_ids
        assert found.countries == wanted.countries
        for name, _ in ROW_COLUMNS:
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), name)
        in_order = sorted(some, key=lambda event: event.order)
        for profile_id, events in reader.profile_events(TENANT, NOW_MS):
            assert events == [event for event in in_order if event.profile_id == profile_id]
        assert reader.event_count(TENANT) == len(some)
        assert reader.newest_event_ms(TENANT) == max(
            (event.occurred_ms for event in some), default=0
        )


def test_chunks_are_one_whole(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "CHUNK_ROWS", 3)
    monkeypatch.setattr(log_tables, "CHUNK_ROWS", 3)
    some = [watch(f"event{place}", START_MS + place // 5) for place in range(17)]
    with logs() as (store, reader):
        store.record_events(TENANT, some, NOW_MS)
        found = reader.columns(TENANT, NOW_MS)
        np.testing.assert_array_equal(found.occurred_ms, from_events(some).occurred_ms)
        assert len(reader.columns(TENANT, START_MS + 3, START_MS + 1)) == 10
        assert len(reader.columns_between(TENANT, START_MS, START_MS + 1)) == 5


def test_until_is_exclusive(logs: Logs) -> None:
    with logs() as (store, reader):
        store.upsert_profiles(TENANT, [Profile("b"), Profile("a")])
        store.record_events(TENANT, [watch("a", START_MS), watch("b", START_MS + 1)], NOW_MS)
        assert len(reader.columns(TENANT, START_MS + 1)) == 1
        assert len(reader.events_of(TENANT, "profile0", START_MS + 1)) == 1
        assert list(reader.profile_events(TENANT, START_MS)) == []
        assert reader.profiles(TENANT) == [Profile("a"), Profile("b")]


def test_the_propensity_of_an_impression_is_a_column(logs: Logs) -> None:
    decision = Decision("page0", "profile0", START_MS, "explore", ("title0",), (0.25,))
    with logs() as (store, reader):
        store.record_decisions(TENANT, [decision], NOW_MS)
        store.record_events(TENANT, [impression("a", START_MS)], NOW_MS)
        assert reader.columns(TENANT, NOW_MS).propensity.tolist() == [0.25]


def test_without_a_file_the_log_is_not_available(tmp_path: Path) -> None:
    with closing(LogReader(tmp_path / "events.sqlite")) as reader, pytest.raises(PartUnavailable):
        reader.event_count(TENANT)


def test_what_arrives_is_told_once_and_in_order(logs: Logs) -> None:
    with logs() as (store, reader):
        assert reader.newest_arrivals(TENANT, 5) == []
        assert reader.arrivals(TENANT, 0, 5) == []
        for number in range(5):
            pair = [watch(f"e{number}.{place}", START_MS - number) for place in range(2)]
            store.record_events(TENANT, pair, NOW_MS)
        store.record_events("other", [watch("foreign", START_MS)], NOW_MS)
        ids = [f"e{number}.{place}" for number in range(5) for place in range(2)]
        newest = reader.newest_arrivals(TENANT, 4)
        assert [event.event_id for _, event in newest] == ids[-4:]
        assert reader.arrivals(TENANT, newest[-1][0], 5) == []
        assert reader.watermark() >= newest[-1][0]
        told, after = [], 0
        while arrived := reader.arrivals(TENANT, after, 3):
            assert len(arrived) <= 4
            told += [event.event_id for _, event in arrived]
            after = arrived[-1][0]
        assert told == ids
        store.erase_profile(TENANT, "profile0", (), NOW_MS)
        store.record_events(TENANT, [watch("kept", START_MS, profile_id="profile1")], NOW_MS)
        assert [event.event_id for _, event in reader.arrivals(TENANT, 0, 3)] == ["kept"]
        assert reader.profile_ids(TENANT) == ["profile1"]


def test_of_compacted_events_there_is_what_they_have_become(logs: Logs) -> None:
    old = [watch(f"e{day}", START_MS + day * DAY_MS, country="DE") for day in range(4)]
    new = watch("new", START_MS + 40 * DAY_MS, profile_id="profile1")
    until_ms = START_MS + 20 * DAY_MS
    with logs() as (store, reader):
        for event in (*old, new):
            store.record_events(TENANT, [event], NOW_MS)
        whole = reader.columns(TENANT, NOW_MS)
        assert (reader.compacted_count(), reader.title_base(TENANT)) == (0, NO_TITLE_BASE)
        assert store.compact(until_ms, FIRST).event_count == len(old)
        assert reader.compacted_count() == len(old)
        assert reader.event_count(TENANT) == 1
        assert reader.profile_ids(TENANT) == ["profile0", "profile1"]
        assert list(reader.profile_events(TENANT, NOW_MS)) == [
            ("profile0", []),
            ("profile1", reader.events_of(TENANT, "profile1", NOW_MS)),
        ]
        assert_same_state(replay([], reader.base_of(TENANT, "profile0")), replay(old))
        assert reader.base_of(TENANT, "profile1") is NO_BASE
        assert reader.base_of(TENANT, "stranger") is NO_BASE
        rows, days = reader.held_of(TENANT, "profile0", watermark=reader.watermark())
        assert (rows, days) == ([], watched_days(old))
        # Whoever follows goes past batches of which nothing is left.
        assert [event.event_id for _, event in reader.arrivals(TENANT, 0, 2)] == ["new"]
        base = reader.title_base(TENANT)
        table = TitleReplay(
            lambda after, to: reader.columns_between(TENANT, after, to), lambda: base
        ).table(NOW_MS)
        wanted = TitleReplay(lambda after, to: sliced(whole, after, to)).table(NOW_MS)
        np.testing.assert_allclose(table.counters, wanted.counters, rtol=1e-6)
        assert base.at_ms == until_ms
        # Also where there are no events any more.
        assert store.compact(NOW_MS - DAY_MS, FIRST).event_count == 1
        assert reader.newest_event_ms(TENANT) == new.occurred_ms
        store.erase_profile(TENANT, "profile0", (), NOW_MS)
        assert reader.profile_ids(TENANT) == ["profile1"]


def sliced(columns: EventColumns, after_ms: int, to_ms: int) -> EventColumns:
    start, stop = np.searchsorted(columns.occurred_ms, (after_ms, to_ms), side="right")
    return between(columns, int(start), int(stop))


def test_what_commits_late_arrives_late(postgres_databases: PostgresDatabases) -> None:
    url = postgres_databases.fresh()
    with (
        closing(postgres_databases.store(url)) as slow,
        closing(postgres_databases.store(url)) as fast,
        closing(postgres_databases.reader(url)) as reader,
    ):
        with slow.transaction():
            slow.record_events(TENANT, [watch("slow", START_MS)], NOW_MS)
            fast.record_events(TENANT, [watch("fast", START_MS)], NOW_MS)
            assert reader.newest_arrivals(TENANT, 9) == []
            watermark = reader.watermark()
        arrived = reader.arrivals(TENANT, watermark, 9)
        assert {event.event_id for _, event in arrived} == {"slow", "fast"}
        assert reader.held_of(TENANT, "profile0", watermark=watermark) == ([], [])
        assert len(reader.held_of(TENANT, "profile0", watermark=reader.watermark())[0]) == 2
    postgres_databases.give_back(url)
