"""Features made anew from the log are those that it made when it came."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event
from libs.faults import StartFault
from libs.features.profile_state import replay
from libs.features.title_table import LiveTitleCounters, TitleTable
from libs.storage import rebuild as rebuilding
from libs.storage.event_schema import EVENT_SCHEMA
from libs.storage.event_store import SqliteEventStore
from libs.storage.feature_reader import FeatureReader
from libs.storage.memory_event_store import MemoryEventStore
from libs.storage.rebuild import rebuild_file
from tests.made_events import START_MS, assert_close, assert_same_state, event_lists, watch

NOW_MS = START_MS + 100 * DAY_MS
TENANTS = ("default", "other")
PROFILES = ("profile0", "profile1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


def assert_is_of_the_log(store: SqliteEventStore, tenant: str, some: list[Event]) -> None:
    for profile_id in PROFILES:
        mine = [event for event in some if event.profile_id == profile_id]
        assert_same_state(store.profile_state(tenant, profile_id, None), replay(mine))
    found = store.title_table(tenant, None, "DE", now_ms=NOW_MS)
    wanted = store.title_table(tenant, NOW_MS, "DE", now_ms=NOW_MS)
    assert_same_table(found, wanted)


def assert_same_table(found: TitleTable, wanted: TitleTable) -> None:
    seen = dict(zip(found.title_ids, found.counters, strict=True))
    assert set(wanted.title_ids) <= set(seen)
    for title_id, counters in zip(wanted.title_ids, wanted.counters, strict=True):
        np.testing.assert_allclose(seen.pop(title_id), counters, rtol=1e-6)
    assert all(not counters.any() for counters in seen.values())


def spoil(path: Path, version: int = EVENT_SCHEMA.version) -> None:
    """Other features than the log's: some wrong, some of nobody, some missing."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM profile_titles WHERE profile_id = 'profile0'")
        connection.execute("UPDATE profile_counters SET profile_id = 'nobody' || profile_id")
        connection.execute("UPDATE title_counters SET title_id = 'gone' WHERE title_id = 'title0'")
        connection.execute("UPDATE events SET engagement = 9, opinion = 1")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()


@settings(max_examples=30, deadline=None)
@given(
    event_lists(most=20, title_count=3),
    st.lists(st.sampled_from(TENANTS), min_size=20, max_size=20),
    st.randoms(use_true_random=False),
)
def test_a_rebuild_beside_writes_gives_what_the_log_says(
    tmp_path_factory: pytest.TempPathFactory,
    some: list[Event],
    tenants: list[str],
    random: Random,
) -> None:
    path = tmp_path_factory.mktemp("rebuild") / "events.sqlite"
    early, late = some[: len(some) // 2], some[len(some) // 2 :]
    of_event = dict(zip([event.event_id for event in some], tenants, strict=False))
    with closing(SqliteEventStore(path)) as store:
        for event in early:
            store.record_events(of_event[event.event_id], [event], NOW_MS)
    spoil(path)
    with closing(SqliteEventStore(path)) as store, closing(FeatureReader(path)) as reader:
        live = LiveTitleCounters()
        live.apply(first := reader.title_changes("default", 0))
        steps = store.rebuild_features()
        for event in late:
            if random.random() < 0.7:
                next(steps, None)
            store.record_events(of_event[event.event_id], [event], NOW_MS)
        for _ in steps:
            pass
        for tenant in TENANTS:
            mine = [event for event in some if of_event[event.event_id] == tenant]
            assert_is_of_the_log(store, tenant, mine)
        # Who followed the changes has taken over the new counters.
        live.apply(reader.title_changes("default", first.last_change))
        found = store.title_table("default", None, "", now_ms=NOW_MS)
        followed = live.table(NOW_MS)
        assert followed.title_ids == found.title_ids
        np.testing.assert_array_equal(followed.counters, found.counters)


def test_a_file_of_older_features_is_refused_until_it_is_rebuilt(path: Path) -> None:
    events = [watch("a", START_MS), watch("b", START_MS + 1, title_id="title1")]
    with closing(SqliteEventStore(path)) as store:
        store.record_events("default", events, NOW_MS)
    spoil(path, EVENT_SCHEMA.version - 1)
    with pytest.raises(StartFault, match="schema version"):
        SqliteEventStore(path)
    steps = rebuild_file(path)
    next(steps)
    steps.close()  # type: ignore[attr-defined]  # a generator
    with pytest.raises(StartFault, match="schema version"):
        SqliteEventStore(path)
    shares = list(rebuild_file(path))
    assert shares == sorted(shares)
    assert 0 < shares[-1] <= 1
    with closing(SqliteEventStore(path)) as store:
        assert_is_of_the_log(store, "default", events)


def test_a_file_of_other_tables_is_not_touched(path: Path) -> None:
    with closing(SqliteEventStore(path)):
        pass
    spoil(path, EVENT_SCHEMA.version + 1000)
    with pytest.raises(StartFault, match="schema version"):
        list(rebuild_file(path))


def test_steps_are_short_whatever_the_log_holds(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "STEP_EVENTS", 10)
    events = [
        watch(f"{place}", START_MS + place, profile_id=f"profile{place % 20}")
        for place in range(60)
    ]
    with closing(SqliteEventStore(path)) as store:
        store.record_events("default", events, NOW_MS)
        before = store.profile_state("default", "profile3", None)
        shares = list(store.rebuild_features())
        assert len(shares) >= 60 // 12
        after = store.profile_state("default", "profile3", None)
        assert_close(after.counters.values, before.counters.values)


@pytest.mark.parametrize("step", range(4))
def test_an_erasure_between_two_steps_is_not_undone(tmp_path: Path, step: int) -> None:
    with closing(SqliteEventStore(tmp_path / "events.sqlite")) as store:
        some = [
            watch(f"e{n}", START_MS + n, profile_id=f"profile{n % 2}", title_id=f"t{n % 3}")
            for n in range(30)
        ]
        store.record_events("default", some, START_MS + 99)
        for place, _ in enumerate(store.rebuild_features()):
            if place == step:
                store.erase_profile("default", "profile0", (), START_MS + 99)
        if place < step:
            store.erase_profile("default", "profile0", (), START_MS + 99)
        never = MemoryEventStore()
        kept = [event for event in some if event.profile_id != "profile0"]
        never.record_events("default", kept, START_MS + 99)
        found, wanted = (
            one.title_table("default", None, "", now_ms=START_MS + 99) for one in (store, never)
        )
        assert found.title_ids == wanted.title_ids
        np.testing.assert_allclose(found.counters, wanted.counters, rtol=1e-9, atol=1e-9)
        assert store.profile_state("default", "profile0", None).newest_ms == 0
