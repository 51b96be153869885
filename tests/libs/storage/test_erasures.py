"""Who is erased is gone from every store, and never comes back."""

import dataclasses
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.domain.erasure import ServiceErasure
from libs.domain.event import (
    DAY_MS,
    Event,
)
from libs.domain.profile import Profile
from libs.domain.rejection import RejectionReason
from libs.faults import InvalidField, NotFound, StartFault
from libs.storage.event_store import PSEUDONYM_KEY, SqliteEventStore
from libs.storage.log_reader import LogReader
from libs.storage.memory_event_store import MemoryEventStore
from services.events.ports import EventStore
from tests.made_decisions import decision
from tests.made_events import START_MS, assert_same_counters, assert_same_state, event_lists, watch
from tests.made_log import scattered

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS

# Hypothesis runs many examples on one fixture, which only hands out fresh stores.
properties = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class TestErasure:
    """Of every store."""

    @properties
    @given(event_lists(most=12), st.data())
    def test_an_erased_profile_leaves_nothing_but_its_absence(
        self, fresh: Callable[[], EventStore], some: list[Event], data: st.DataObject
    ) -> None:
        store, never = fresh(), MemoryEventStore()
        gone = data.draw(st.sampled_from(["profile0", "profile1", "stranger"]))
        cut = data.draw(st.integers(0, len(some)))
        store.record_events(TENANT, some[:cut], NOW_MS)
        store.upsert_profiles(TENANT, [Profile(gone), Profile("kept")])
        with store.transaction():  # one that others share, who came before and after
            store.record_events(TENANT, some[cut:], NOW_MS)
            erasure = store.erase_profile(TENANT, gone, ("ranking",), NOW_MS)
            store.record_events(TENANT, [watch("after", START_MS, profile_id="kept")], NOW_MS)
        never.record_events(TENANT, [one for one in some if one.profile_id != gone], NOW_MS)
        never.record_events(TENANT, [watch("after", START_MS, profile_id="kept")], NOW_MS)
        own = [one for one in some if one.profile_id == gone]
        assert erasure.event_count == len(own)
        assert erasure.had_profile
        assert erasure.oldest_event_ms == min((one.occurred_ms for one in own), default=None)
        assert store.history(TENANT, gone, most=100) == []
        assert store.profiles(TENANT, [gone, "kept"]) == [Profile("kept")]
        for profile_id in ("profile0", "profile1", "stranger", "kept"):
            assert_same_state(
                store.profile_state(TENANT, profile_id, None),
                never.profile_state(TENANT, profile_id, None),
            )
        for as_of_ms in (None, START_MS + DAY_MS):
            found = store.title_table(TENANT, as_of_ms, "DE", now_ms=NOW_MS)
            wanted = never.title_table(TENANT, as_of_ms, "DE", now_ms=NOW_MS)
            assert_same_counters(found, wanted)

    def test_nothing_late_brings_an_erased_profile_back(self, store: EventStore) -> None:
        first = watch("a", START_MS)
        store.record_events(TENANT, [first], NOW_MS)
        store.record_decisions(TENANT, [decision()], NOW_MS)
        assert [one["page_id"] for one in store.decisions_of(TENANT, "profile0")] == ["page0"]
        erasure = store.erase_profile(TENANT, "profile0", (), NOW_MS)
        assert (erasure.event_count, erasure.decision_count) == (1, 1)
        other = watch("b", START_MS, profile_id="profile1")
        late = store.record_events(TENANT, [first, other, watch("c", START_MS)], NOW_MS)
        assert late.recorded_count == 1
        assert [(one.index, one.reason, one.field) for one in late.rejections] == [
            (0, RejectionReason.ERASED_PROFILE, "profile_id"),
            (2, RejectionReason.ERASED_PROFILE, "profile_id"),
        ]
        again = store.record_decisions(TENANT, [decision("page1")], NOW_MS)
        assert [one.reason for one in again.rejections] == [RejectionReason.ERASED_PROFILE]
        with pytest.raises(InvalidField, match=r"profiles\[1\]\.profile_id: was erased"):
            store.upsert_profiles(TENANT, [Profile("profile1"), Profile("profile0")])
        assert store.profiles(TENANT, ["profile0", "profile1"]) == []
        # Another tenant's profile of the same name is somebody else.
        assert store.record_events("other", [first], NOW_MS).recorded_count == 1

    def test_an_erasure_is_one_however_often_it_is_asked_for(self, store: EventStore) -> None:
        store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
        first = store.erase_profile(TENANT, "profile0", ("ranking", "recap"), NOW_MS)
        assert store.erase_profile(TENANT, "profile0", (), NOW_MS + 5) == first
        assert store.pending_erasures() == [(TENANT, "profile0")]
        refused = ServiceErasure("recap", problem="is away")
        assert not store.confirm_erasure(TENANT, "profile0", refused).is_complete
        store.confirm_erasure(TENANT, "profile0", ServiceErasure("ranking", True, 3))
        done = store.confirm_erasure(TENANT, "profile0", ServiceErasure("recap", True))
        assert done.is_complete
        assert store.pending_erasures() == []
        assert store.erase_profile(TENANT, "profile0", ("ranking",), NOW_MS + 9) == done
        assert store.scrub()

    def test_only_what_was_erased_can_be_confirmed(self, store: EventStore) -> None:
        with pytest.raises(NotFound):
            store.confirm_erasure(TENANT, "profile0", ServiceErasure("ranking", True))


class TestFiles:
    """What is left in files."""

    def test_an_erased_id_is_in_no_file(self, tmp_path: Path) -> None:
        marker = "marker-of-nobody-else"
        path = tmp_path / "events.sqlite"
        some = [
            watch(f"e{place}", START_MS + place, profile_id=profile_id, title_id=f"t{place % 7}")
            for place in range(300)
            for profile_id in (marker if place % 3 == 0 else f"profile{place % 5}",)
        ]

        def holding() -> list[str]:
            files = [file for file in tmp_path.rglob("*") if file.is_file()]
            return [file.name for file in files if marker.encode() in file.read_bytes()]

        with closing(SqliteEventStore(path)) as store:
            for start in range(0, 300, 50):
                store.record_events(TENANT, some[start : start + 50], NOW_MS)
            store.upsert_profiles(TENANT, [Profile(marker)])
            page = dataclasses.replace(decision(), profile_id=marker)
            store.record_decisions(TENANT, [page], NOW_MS)
            assert holding()
            store.erase_profile(TENANT, marker, ("ranking",), NOW_MS)
            store.scrub()
            assert holding() == ["events.sqlite"]  # until ranking has confirmed
            store.confirm_erasure(TENANT, marker, ServiceErasure("ranking", True))
            assert store.scrub([marker])
            assert holding() == []
        with closing(SqliteEventStore(path)) as store:
            assert store.record_events(TENANT, some[:1], NOW_MS).rejections

    def test_an_erased_id_is_not_in_the_slack_of_pages_either(self, tmp_path: Path) -> None:
        path, rng = tmp_path / "events.sqlite", Random(3)
        names = [f"someone-{place:05d}-else" for place in range(700)]
        some = scattered(names, rng)
        gone = rng.sample(names, 200)
        with closing(SqliteEventStore(path)) as store:
            for start in range(0, len(some), 500):
                store.record_events(TENANT, some[start : start + 500], NOW_MS)
            with store.transaction():
                for name in gone:
                    store.erase_profile(TENANT, name, (), NOW_MS)
            assert store.scrub()
            left = [name for name in gone if name.encode() in path.read_bytes()]
            assert left, "this file does not show what SQLite leaves behind"
            assert store.scrub(gone)
            assert not [name for name in gone if name.encode() in path.read_bytes()]
            kept = {name: store.history(TENANT, name, most=99) for name in names}
            assert sum(map(len, kept.values())) == sum(one.profile_id not in gone for one in some)

    def test_tombstones_are_not_served_without_their_key(self, tmp_path: Path) -> None:
        path, key = tmp_path / "events.sqlite", tmp_path / PSEUDONYM_KEY
        SqliteEventStore(path).close()
        key.unlink()  # nothing was made with it
        with closing(SqliteEventStore(path)) as store:
            store.erase_profile(TENANT, "profile0", (), NOW_MS)
        assert key.stat().st_mode & 0o077 == 0
        held = key.read_bytes()
        key.unlink()
        with pytest.raises(StartFault, match=r"pseudonym\.key is missing"):
            SqliteEventStore(path)
        key.write_bytes(bytes(32))
        with pytest.raises(StartFault, match="not the key"):
            SqliteEventStore(path)
        key.write_bytes(held)
        with closing(SqliteEventStore(path)) as store:
            assert store.record_events(TENANT, [watch("late", START_MS)], NOW_MS).rejections

    def test_a_place_in_the_log_is_never_given_twice(self, tmp_path: Path) -> None:
        path = tmp_path / "events.sqlite"
        with closing(SqliteEventStore(path)) as store, closing(LogReader(path)) as log:
            store.record_events(TENANT, [watch("a", START_MS), watch("b", START_MS)], NOW_MS)
            watermark = log.watermark()
            store.erase_profile(TENANT, "profile0", (), NOW_MS)
            store.record_events(TENANT, [watch("c", START_MS, profile_id="profile1")], NOW_MS)
            assert [event.event_id for _, event in log.arrivals(TENANT, watermark, 9)] == ["c"]
