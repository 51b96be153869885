"""A large profile goes a few rows at a time, and nobody is told of what is left meanwhile."""

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.domain.erasure import Erasure, ServiceErasure
from libs.domain.event import DAY_MS, Event, EventKind, Thumb, ThumbDirection
from libs.domain.profile import Profile
from libs.features.profile_state import EMPTY
from libs.features.profile_state import NO_BASE as NO_PROFILE_BASE
from libs.storage import removal
from libs.storage.compaction import FIRST
from libs.storage.event_store import SqliteEventStore
from libs.storage.feature_reader import FeatureReader
from libs.storage.log_reader import LogReader
from libs.storage.memory_event_store import MemoryEventStore
from tests.made_decisions import decision
from tests.made_events import (
    START_MS,
    assert_same_counters,
    assert_same_state,
    event_lists,
    watch,
)

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS
GONE = "profile0"
PROFILES = (GONE, "profile1", "profile2")
UNTIL_MS = (START_MS // DAY_MS + 5) * DAY_MS


def made(seed: int, count: int, prefix: str = "e") -> list[Event]:
    """Events of three profiles in no order, thumbs among them that undo others."""
    random = Random(seed)
    some = []
    for number in range(count):
        event = watch(
            f"{prefix}{number}",
            START_MS + random.randrange(10 * DAY_MS),
            profile_id=random.choice(PROFILES),
            title_id=f"title{random.randrange(6)}",
            kind=random.choice((EventKind.PLAY, EventKind.PROGRESS, EventKind.COMPLETE)),
            country=random.choice(("", "DE")),
        )
        if random.random() < 0.2:
            thumb = Thumb(random.choice(tuple(ThumbDirection)))
            event = dataclasses.replace(event, kind=EventKind.THUMB, detail=thumb)
        some.append(event)
    return some


def erase_to_the_last(store: SqliteEventStore) -> tuple[Erasure, int]:
    """The erasure, and how many calls it took."""
    for calls in range(1, 10_000):
        erasure = store.erase_profile(TENANT, GONE, (), NOW_MS)
        if erasure.is_removed:
            return erasure, calls
    raise AssertionError("an erasure does not end")


def compact(store: SqliteEventStore, until_ms: int = UNTIL_MS) -> None:
    after = store.compact(until_ms, FIRST).after
    while after is not None:
        after = store.compact(until_ms, after).after


def assert_as_if_never(store: SqliteEventStore, events: list[Event]) -> None:
    never = MemoryEventStore()
    never.record_events(TENANT, [one for one in events if one.profile_id != GONE], NOW_MS)
    for profile_id in PROFILES:
        for as_of_ms in (None, NOW_MS):
            assert_same_state(
                store.profile_state(TENANT, profile_id, as_of_ms),
                never.profile_state(TENANT, profile_id, as_of_ms),
            )
        assert store.watched_days(TENANT, profile_id) == never.watched_days(TENANT, profile_id)
    for as_of_ms in (None, NOW_MS):
        for country in ("", "DE"):
            assert_same_counters(
                store.title_table(TENANT, as_of_ms, country, now_ms=NOW_MS),
                never.title_table(TENANT, as_of_ms, country, now_ms=NOW_MS),
            )


def rows_left(path: Path) -> dict[str, int]:
    """By table, the rows of the profile that are left."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if any(
                column[1] == "profile_id"
                for column in connection.execute(f"PRAGMA table_info({name})")
            )
        ]
        counts = {
            table: connection.execute(
                f"SELECT count(*) FROM {table} WHERE profile_id = ?",  # noqa: S608  from the schema
                (GONE,),
            ).fetchone()[0]
            for table in tables
        }
    return {table: count for table, count in counts.items() if count}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of a few rows."""
    monkeypatch.setattr(removal.step, "__defaults__", (7,))


def fill(store: SqliteEventStore, events: list[Event]) -> None:
    store.record_events(TENANT, events, NOW_MS)
    compact(store)
    store.upsert_profiles(TENANT, [Profile(one) for one in PROFILES])
    pages = [dataclasses.replace(decision(f"page{n}"), profile_id=GONE) for n in range(20)]
    store.record_decisions(TENANT, pages, NOW_MS)


@pytest.mark.usefixtures("few")
def test_from_the_first_step_on_nobody_is_told_anything(tmp_path: Path) -> None:
    path, some = tmp_path / "events.sqlite", made(1, 400)
    own = [one for one in some if one.profile_id == GONE]
    with (
        closing(SqliteEventStore(path)) as store,
        closing(FeatureReader(path)) as features,
        closing(LogReader(path)) as log,
    ):
        fill(store, some)
        first = store.erase_profile(TENANT, GONE, ("ranking",), NOW_MS)
        assert not first.is_removed
        assert first.event_count == len(own)
        assert (first.decision_count, first.had_profile) == (20, True)
        assert first.oldest_event_ms == min(one.occurred_ms for one in own)
        late = made(2, 60, "late")
        calls = 1
        while not (erasure := store.erase_profile(TENANT, GONE, (), NOW_MS + calls)).is_removed:
            calls += 1
            assert erasure == first
            assert rows_left(path)
            assert store.history(TENANT, GONE, most=9) == []
            assert store.profiles(TENANT, [GONE]) == []
            assert store.decisions_of(TENANT, GONE) == []
            assert store.watched_days(TENANT, GONE) == []
            assert store.profile_state(TENANT, GONE, None) is EMPTY
            assert store.profile_state(TENANT, GONE, NOW_MS).title_ids == ()
            assert features.profile(TENANT, GONE) == (None, EMPTY)
            assert log.held_of(TENANT, GONE, watermark=10**9) == ([], [])
            assert log.events_of(TENANT, GONE, NOW_MS) == []
            assert log.base_of(TENANT, GONE) is NO_PROFILE_BASE
            assert GONE not in log.profile_ids(TENANT)
            assert GONE not in log.columns(TENANT, NOW_MS).profile_ids
            assert GONE not in {one.profile_id for _, one in log.arrivals(TENANT, 0, 999)}
            # Others are written between its steps, and what comes late of it is refused.
            coming, late = late[:3], late[3:]
            refused = store.record_events(TENANT, coming, NOW_MS).rejections
            assert len(refused) == sum(one.profile_id == GONE for one in coming)
        assert calls > 20
        assert erasure == dataclasses.replace(first, is_removed=True)
        assert rows_left(path) == {"erasures": 1}  # until ranking has confirmed
        assert store.erase_profile(TENANT, GONE, (), NOW_MS + 99) == erasure
        store.confirm_erasure(TENANT, GONE, ServiceErasure("ranking", True))
        assert rows_left(path) == {}
        store.record_events(TENANT, late, NOW_MS)
        assert_as_if_never(store, [*some, *made(2, 60, "late")])


@settings(max_examples=30, deadline=None)
@given(event_lists(most=30), st.integers(1, 9), st.integers(0, 40), st.booleans())
def test_counters_of_titles_lose_what_the_profile_had_added_and_no_more(
    tmp_path_factory: pytest.TempPathFactory,
    some: list[Event],
    most: int,
    days: int,
    is_rebuilt: bool,
) -> None:
    path = tmp_path_factory.mktemp("erased") / "events.sqlite"
    until_ms = (START_MS // DAY_MS + days) * DAY_MS
    with pytest.MonkeyPatch.context() as patch, closing(SqliteEventStore(path)) as store:
        patch.setattr(removal.step, "__defaults__", (most,))
        store.record_events(TENANT, some, NOW_MS)
        compact(store, until_ms)
        rebuilding = store.rebuild_features() if is_rebuilt else iter(())
        next(rebuilding, None)
        for _ in range(10_000):
            if store.erase_profile(TENANT, GONE, (), NOW_MS).is_removed:
                break
            # What else goes through the file a little at a time does not bring it back.
            compact(store, until_ms + DAY_MS)
            next(rebuilding, None)
        for _ in rebuilding:
            pass
        assert rows_left(path) == {}
        assert_as_if_never(store, some)


_ERASES = """
import sys
from pathlib import Path
from libs.storage import removal
from libs.storage.event_store import SqliteEventStore
from tests.libs.storage.test_removal import GONE, NOW_MS, TENANT, made
removal.step.__defaults__ = (3,)
store = SqliteEventStore(Path(sys.argv[1]))
is_removed = False
for number in range(10_000):
    with store.transaction():  # as a group commit
        is_removed = is_removed or store.erase_profile(TENANT, GONE, (), NOW_MS).is_removed
        event = made(int(sys.argv[2]), number + 1, f"r{sys.argv[2]}-")[-1]
        store.record_events(TENANT, [event], NOW_MS)
    print(number + 1, is_removed, flush=True)
"""


def test_a_kill_at_any_moment_leaves_an_erasure_that_goes_on(tmp_path: Path) -> None:
    path, random, some = tmp_path / "events.sqlite", Random(3), made(3, 1_500)
    own = [one for one in some if one.profile_id == GONE]
    with closing(SqliteEventStore(path)) as store:
        fill(store, some)
    recorded, lefts = list(some), list[int]()
    for seed in range(10, 16):
        arguments = [sys.executable, "-c", _ERASES, str(path), str(seed)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(random.randrange(1, 6)):
                process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
        with closing(SqliteEventStore(path)) as store:
            left = rows_left(path)
            assert left.pop("erasures") == 1
            lefts.append(sum(left.values()))
            assert store.history(TENANT, GONE, most=9) == []
            held = {
                event.event_id
                for one in PROFILES
                for event in store.history(TENANT, one, most=9_999)
            }
        recorded += [one for one in made(seed, 200, f"r{seed}-") if one.event_id in held]
    assert lefts == sorted(lefts, reverse=True)
    assert lefts[-1] > 0, "the erasure was over before the last kill"
    with closing(SqliteEventStore(path)) as store:
        erasure, _ = erase_to_the_last(store)
        assert erasure.event_count == len(own)
        assert rows_left(path) == {}
        assert_as_if_never(store, recorded)


def test_a_thousand_thumbs_about_one_title_go_a_few_at_a_time(tmp_path: Path) -> None:
    thumbs = [
        dataclasses.replace(
            watch(f"t{n}", START_MS + n // 3),  # some of the same millisecond
            kind=EventKind.THUMB,
            detail=Thumb(tuple(ThumbDirection)[n % 3]),
            sequence=n % 2,
        )
        for n in range(removal.STEP_ROWS * 2 + 200)
    ]
    other = dataclasses.replace(thumbs[0], event_id="other", profile_id="profile1")
    with closing(SqliteEventStore(tmp_path / "events.sqlite")) as store:
        store.record_events(TENANT, [*thumbs, other], NOW_MS)
        _, calls = erase_to_the_last(store)
        assert calls == 3
        assert_as_if_never(store, [other])
