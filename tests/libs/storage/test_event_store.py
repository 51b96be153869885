"""One class of tests for the fake, the embedded store and PostgreSQL; then what a file can do."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.domain.consent import Consent
from libs.domain.event import (
    DAY_MS,
    EVENT_SCHEMA_VERSION,
    Event,
    EventKind,
    Recording,
    Thumb,
    ThumbDirection,
)
from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext
from libs.faults import StartFault
from libs.features.profile_state import EMPTY, encode_records, replay
from libs.features.title_counters import OPINION_COLUMNS
from libs.storage.event_store import SqliteEventStore
from libs.storage.feature_reader import FeatureReader
from libs.storage.history_row import history_row
from libs.storage.memory_event_store import MemoryEventStore
from libs.storage.recorded import Recorded
from services.events.ports import EventStore
from tests.made_events import START_MS, assert_same_state, assert_same_table, event_lists, watch

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS

# Hypothesis runs many examples on one fixture, which only hands out fresh stores.
properties = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def record_all(store: EventStore, some: list[Event], cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(some)]
    for start, stop in zip(edges, edges[1:], strict=False):  # noqa: RUF007  pairs of edges
        store.record_events(TENANT, some[start:stop], NOW_MS)


class TestEventStore:
    @properties
    @given(event_lists(), st.randoms(use_true_random=False), st.lists(st.integers(0, 12)))
    def test_state_does_not_depend_on_order_or_batches(
        self,
        fresh: Callable[[], EventStore],
        some: list[Event],
        random: Random,
        cuts: list[int],
    ) -> None:
        shuffled = list(some)
        random.shuffle(shuffled)
        store, other = fresh(), fresh()
        record_all(store, some, [])
        record_all(other, shuffled, cuts)
        for profile_id in ("profile0", "profile1"):
            mine = [event for event in some if event.profile_id == profile_id]
            state = other.profile_state(TENANT, profile_id, None)
            assert_same_state(state, store.profile_state(TENANT, profile_id, None))
            assert_same_state(state, replay(mine))
        assert_same_table(
            store.title_table(TENANT, None, "DE", now_ms=NOW_MS),
            other.title_table(TENANT, None, "DE", now_ms=NOW_MS),
        )

    @properties
    @given(event_lists(), st.integers(START_MS, START_MS + 40 * DAY_MS))
    def test_a_past_state_is_that_of_the_events_until_then(
        self, fresh: Callable[[], EventStore], some: list[Event], as_of_ms: int
    ) -> None:
        store, then = fresh(), fresh()
        store.record_events(TENANT, some, NOW_MS)
        earlier = [event for event in some if event.occurred_ms <= as_of_ms]
        then.record_events(TENANT, earlier, NOW_MS)
        assert_same_state(
            store.profile_state(TENANT, "profile0", as_of_ms),
            then.profile_state(TENANT, "profile0", None),
        )
        assert_same_table(
            store.title_table(TENANT, as_of_ms, "NZ", now_ms=NOW_MS),
            then.title_table(TENANT, None, "NZ", now_ms=as_of_ms),
        )

    @properties
    @given(event_lists())
    def test_recording_again_changes_nothing(
        self, fresh: Callable[[], EventStore], some: list[Event]
    ) -> None:
        store = fresh()
        assert store.record_events(TENANT, some, NOW_MS).recorded_count == len(some)
        before = store.profile_state(TENANT, "profile0", None)
        table = store.title_table(TENANT, None, "", now_ms=NOW_MS)
        assert store.record_events(TENANT, [*some, *some], NOW_MS) == Recorded(
            0, tuple(range(2 * len(some)))
        )
        after = store.profile_state(TENANT, "profile0", None)
        assert encode_records(after.records) == encode_records(before.records)
        found = store.title_table(TENANT, None, "", now_ms=NOW_MS)
        np.testing.assert_array_equal(found.counters, table.counters)

    def test_an_event_that_comes_twice_in_a_batch_counts_once(self, store: EventStore) -> None:
        first = watch("a", START_MS)
        assert store.record_events(
            TENANT, [first, watch("a", START_MS + 5), watch("b", START_MS)], NOW_MS
        ) == Recorded(2, (1,), late_indexes=(0, 2))
        assert first in store.history(TENANT, "profile0", most=9)

    def test_each_event_is_judged_alone(self, store: EventStore) -> None:
        store.upsert_profiles(TENANT, [Profile("profile0", "account0"), Profile("free")])
        batch = [
            replace(watch("own", NOW_MS + DAY_MS), account_id="account0"),
            watch("ahead", NOW_MS + DAY_MS + 1),
            replace(watch("foreign", NOW_MS), account_id="account1"),
            watch("rounded", NOW_MS, to_ms=11_000),
            watch("past the end", NOW_MS, to_ms=11_001),
            watch("from behind", NOW_MS, from_ms=11_001, to_ms=0, kind=EventKind.SEEK),
            replace(watch("of nobody's", NOW_MS, profile_id="free"), account_id="account1"),
            replace(watch("of an unknown", NOW_MS, profile_id="new"), account_id="account1"),
            watch("own", NOW_MS),
            watch("late", 0),
            watch("ahead", NOW_MS),
        ]
        recorded = store.record_events(TENANT, batch, NOW_MS)
        assert recorded.recorded_count == 6
        assert recorded.duplicate_indexes == (8,)
        assert recorded.late_indexes == (9,)
        assert [(one.index, one.reason.name, one.field) for one in recorded.rejections] == [
            (1, "AHEAD", "occurred_at"),
            (2, "FOREIGN_PROFILE", "account_id"),
            (4, "PAST_THE_END", "watched.to_ms"),
            (5, "PAST_THE_END", "watched.from_ms"),
        ]
        kept = store.history(TENANT, "profile0", most=99)
        assert [one.event_id for one in kept] == ["own", "rounded", "ahead", "late"]
        assert kept[-1].occurred_ms == 0
        assert {one.recording for one in kept} == {Recording(NOW_MS, EVENT_SCHEMA_VERSION)}
        assert {one.account_id for one in kept} == {""}
        assert_same_state(store.profile_state(TENANT, "profile0", None), replay(kept))
        again = store.record_events(TENANT, batch, NOW_MS + DAY_MS)
        assert again.duplicate_indexes == (0, 1, 3, 6, 7, 8, 9, 10)

    def test_tenants_share_nothing(self, store: EventStore) -> None:
        store.record_events("one", [watch("a", START_MS)], NOW_MS)
        store.record_events("two", [watch("a", START_MS + 1)], NOW_MS)
        assert [event.occurred_ms for event in store.history("two", "profile0", most=9)] == [
            START_MS + 1
        ]
        assert store.title_table("three", None, "", now_ms=NOW_MS).title_ids == ()
        assert_same_state(store.profile_state("three", "profile0", None), EMPTY)

    @properties
    @given(event_lists(most=15))
    def test_history_pages_through_everything_newest_first(
        self, fresh: Callable[[], EventStore], some: list[Event]
    ) -> None:
        store = fresh()
        store.record_events(TENANT, some, NOW_MS)
        wanted = sorted(
            (event for event in some if event.profile_id == "profile0"),
            key=lambda event: event.order,
            reverse=True,
        )
        found: list[Event] = []
        while page := store.history(
            TENANT, "profile0", most=2, before=found[-1].order if found else None
        ):
            found.extend(page)
        assert found == wanted

    @properties
    @given(event_lists(most=15))
    def test_rows_of_a_history_are_those_of_its_events(
        self, fresh: Callable[[], EventStore], some: list[Event]
    ) -> None:
        store = fresh()
        store.record_events(TENANT, some, NOW_MS)
        before = max((event.order for event in some), default=None)
        for most, end, kinds, as_of_ms in (
            (99, None, (), None),
            (2, None, (), None),
            (99, before, (), None),
            (99, None, [EventKind.PROGRESS, EventKind.THUMB, EventKind.RATING], None),
            (99, None, (), START_MS + 1),
        ):
            found = store.history_rows(
                TENANT, "profile0", most=most, before=end, kinds=kinds, as_of_ms=as_of_ms
            )
            told = store.history(
                TENANT, "profile0", most=most, before=end, kinds=kinds, as_of_ms=as_of_ms
            )
            assert found == [history_row(event) for event in told]

    def test_history_keeps_what_passes_every_filter(self, store: EventStore) -> None:
        store.record_events(
            TENANT,
            [
                watch("a", START_MS),
                watch("b", START_MS + 1, kind=EventKind.STOP),
                watch("c", START_MS + 1, title_id="other"),
                watch("d", START_MS + 2),
            ],
            NOW_MS,
        )
        found = store.history(
            TENANT,
            "profile0",
            most=9,
            title_id="title0",
            kinds=[EventKind.PROGRESS] * 300_000,
            as_of_ms=START_MS + 1,
        )
        assert [event.event_id for event in found] == ["a"]

    def test_a_thumb_that_is_taken_back_is_no_like_of_the_title(self, store: EventStore) -> None:
        def thumb(name: str, at_ms: int, direction: ThumbDirection, profile_id: str) -> Event:
            return Event(
                name, profile_id, EventKind.THUMB, at_ms, title_id="title0",
                context=ViewingContext(country="DE"), detail=Thumb(direction),
            )  # fmt: skip

        def likes(as_of_ms: int | None = None) -> list[float]:
            table = store.title_table(TENANT, as_of_ms, "DE", now_ms=NOW_MS)
            columns = [OPINION_COLUMNS[1], OPINION_COLUMNS[-1]]
            everywhere = table.counters[0, columns].tolist()
            assert table.country_counters["DE"][0, columns].tolist() == everywhere
            found: list[float] = everywhere
            return found

        up = thumb("up", START_MS, ThumbDirection.UP, "profile0")
        other = thumb("other", START_MS + 1, ThumbDirection.DOWN, "profile1")
        back = thumb("back", START_MS + 2 * DAY_MS, ThumbDirection.RETRACTED, "profile0")
        store.record_events(TENANT, [up, other], NOW_MS)
        assert likes() == likes(NOW_MS) == [1, 1]
        store.record_events(TENANT, [back], NOW_MS)
        assert likes() == likes(NOW_MS) == [0, 1]
        assert likes(START_MS + DAY_MS) == [1, 1]
        # What was said before it was taken back, and comes only now, changes nothing.
        late = thumb("late", START_MS + DAY_MS, ThumbDirection.DOWN, "profile0")
        store.record_events(TENANT, [late], NOW_MS)
        assert likes() == likes(NOW_MS) == [0, 1]
        assert likes(START_MS + DAY_MS) == [0, 2]

    def test_profiles_are_replaced_whole(self, store: EventStore) -> None:
        whole = Profile("a", "account", True, 12, "DE", ("de", "en"), "Europe/Berlin")
        given = frozenset({Consent.SHARING, Consent.REMINDER_EMAIL})
        refused = frozenset({Consent.PERSONALIZATION})
        whole = dataclasses.replace(whole, given_consents=given, refused_consents=refused)
        assert store.upsert_profiles(TENANT, [Profile("b"), Profile("a"), whole]) == 2
        assert store.profiles(TENANT, ["a", "x", "b"]) == [whole, Profile("b")]
        store.upsert_profiles(TENANT, [Profile("a", country="NZ")])
        assert store.profiles(TENANT, ["a"]) == [Profile("a", country="NZ")]
        assert store.profiles("other", ["a"]) == []

    def test_a_late_event_changes_the_past(self, store: EventStore) -> None:
        as_of_ms = START_MS + 10 * DAY_MS
        store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
        store.title_table(TENANT, as_of_ms, "", now_ms=NOW_MS)
        store.record_events(TENANT, [watch("b", START_MS + 1, title_id="late")], NOW_MS)
        table = store.title_table(TENANT, as_of_ms, "", now_ms=NOW_MS)
        assert table.title_ids == ("late", "title0")
        assert table.as_of_ms == as_of_ms


class TestSqliteEventStore:
    def test_a_second_writer_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "events.sqlite"
        with closing(SqliteEventStore(path)), pytest.raises(StartFault, match="already written"):
            SqliteEventStore(path)

    def test_everything_is_there_after_a_restart(self, tmp_path: Path) -> None:
        path = tmp_path / "events.sqlite"
        some = [watch("a", START_MS), watch("b", START_MS + DAY_MS, title_id="x", country="DE")]
        with closing(SqliteEventStore(path)) as store:
            store.record_events(TENANT, some[:1], NOW_MS)
        with closing(SqliteEventStore(path)) as store:
            store.record_events(TENANT, some[1:], NOW_MS)
            assert_same_state(store.profile_state(TENANT, "profile0", None), replay(some))
            fake = MemoryEventStore()
            fake.record_events(TENANT, some, NOW_MS)
            assert_same_table(
                store.title_table(TENANT, None, "DE", now_ms=NOW_MS),
                fake.title_table(TENANT, None, "DE", now_ms=NOW_MS),
            )

    def test_what_was_acknowledged_survives_a_kill(self, tmp_path: Path) -> None:
        path = tmp_path / "events.sqlite"
        code = (
            "import sys; from pathlib import Path\n"
            "from libs.storage.event_store import PSEUDONYM_KEY, SqliteEventStore\n"
            "from tests.made_events import START_MS, watch\n"
            "store, place = SqliteEventStore(Path(sys.argv[1])), 0\n"
            "while True:\n"
            "    store.record_events('default', [watch(str(place), START_MS + place)], START_MS)\n"
            "    sys.stdout.write(f'{place}\\n'); sys.stdout.flush(); place += 1\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
        ) as writing:
            assert writing.stdout is not None
            acknowledged = [writing.stdout.readline().strip() for _ in range(50)]
            os.kill(writing.pid, signal.SIGKILL)
            acknowledged += writing.stdout.read().split()
        with closing(FeatureReader(path)) as reader:
            _, left_behind = reader.profile(TENANT, "profile0")
            assert left_behind.newest_ms >= START_MS + len(acknowledged) - 1
        with closing(SqliteEventStore(path)) as store:
            found = store.history(TENANT, "profile0", most=100_000)
            assert set(acknowledged) <= {event.event_id for event in found}
            assert_same_state(store.profile_state(TENANT, "profile0", None), replay(found))
