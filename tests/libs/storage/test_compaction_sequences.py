"""Whatever is recorded, compacted, erased and made anew in any order: nobody can tell."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from libs.domain.event import DAY_MS, Event, EventKind, Thumb, ThumbDirection, WatchedInterval
from libs.domain.viewing import ViewingContext
from libs.faults import HistoryCompacted
from libs.features.title_table import TitleTable
from libs.features.watched_days import watched_days
from libs.storage.compaction import FIRST, Place, step
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from tests.made_events import START_MS, assert_same_state, events

TENANTS = ("default", "other")
PROFILES = ("profile0", "profile1", "profile2")
NOW_MS = START_MS + 100 * DAY_MS


def _telling(
    kind: EventKind, day: int, profile_id: str, direction: ThumbDirection, country: str
) -> Event:
    is_thumb = kind is EventKind.THUMB
    return Event(
        "event",
        profile_id,
        kind,
        START_MS + day * DAY_MS,
        title_id="title0",
        context=ViewingContext(country=country),
        detail=Thumb(direction) if is_thumb else WatchedInterval(0, 5_000, 10_000),
    )


CUTS = st.integers(-1, 42).map(lambda days: (START_MS // DAY_MS + days) * DAY_MS)
# Half of them are of the kinds that undo or add to each other, about one title.
TELLING = st.builds(
    _telling,
    kind=st.sampled_from([EventKind.THUMB, EventKind.PLAY, EventKind.PROGRESS]),
    day=st.integers(-2, 44),
    profile_id=st.sampled_from(PROFILES[:2]),
    direction=st.sampled_from(ThumbDirection),
    country=st.sampled_from(["", "DE"]),
)
BATCHES = st.lists(
    st.tuples(st.integers(0, 60), TELLING | events(profile_count=3)).map(
        lambda named: replace(named[1], event_id=f"event{named[0]}")
    ),
    max_size=10,
)


def rows(table: TitleTable) -> dict[tuple[str, str], np.ndarray]:
    """The counters of each title and country that are not zeros."""
    found = dict(table.country_counters)
    found[""] = table.counters
    return {
        (title_id, country): row
        for country, values in found.items()
        for title_id, row in zip(table.title_ids, values, strict=True)
        if np.abs(row).max() > 1e-9
    }


class CompactedLog(RuleBasedStateMachine):
    """A file beside a store that is never compacted."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "events.sqlite"
        self.store = SqliteEventStore(self.path)
        self.never = MemoryEventStore()
        self.known: dict[tuple[str, str], Event] = {}
        self.erased: set[tuple[str, str]] = set()
        self.place: Place | None = FIRST
        self.rebuilding: Iterator[float] | None = None

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(tenant=st.sampled_from(TENANTS), batch=BATCHES)
    def record(self, tenant: str, batch: list[Event]) -> None:
        # An id is of one profile: of who was erased the ids are free again.
        batch = [
            one
            for one in batch
            if self.known.setdefault((tenant, one.event_id), one).profile_id == one.profile_id
        ]
        assert self.store.record_events(tenant, batch, NOW_MS) == self.never.record_events(
            tenant, batch, NOW_MS
        )

    @rule(batch=BATCHES, until_ms=CUTS, profile_id=st.sampled_from(PROFILES), goes=st.booleans())
    def do_all_in_one_commit(
        self, batch: list[Event], until_ms: int, profile_id: str, goes: bool
    ) -> None:
        with self.store.transaction():
            self.record("default", batch)
            self.store.compact(until_ms, FIRST)
            if goes:
                self.erase("default", profile_id)

    @rule(until_ms=CUTS, most=st.integers(1, 5))
    def compact_some(self, until_ms: int, most: int) -> None:
        connection = self.store._writer.connection
        with self.store.transaction():
            self.place = step(connection, until_ms, self.place or FIRST, most).after

    @rule(tenant=st.sampled_from(TENANTS), profile_id=st.sampled_from(PROFILES))
    def erase(self, tenant: str, profile_id: str) -> None:
        found = self.store.erase_profile(tenant, profile_id, (), NOW_MS)
        wanted = self.never.erase_profile(tenant, profile_id, (), NOW_MS)
        assert (found.event_count, found.oldest_event_ms) == (
            wanted.event_count,
            wanted.oldest_event_ms,
        )

    @rule()
    def rebuild_a_step(self) -> None:
        if self.rebuilding is None:
            self.rebuilding = self.store.rebuild_features()
        if next(self.rebuilding, None) is None:
            self.rebuilding = None

    @rule()
    def start_again(self) -> None:
        self.store.close()
        self.rebuilding = None
        self.store = SqliteEventStore(self.path)

    @rule(at_ms=st.integers(START_MS - DAY_MS, NOW_MS), country=st.sampled_from(["", "DE", "NZ"]))
    def ask_about_the_past(self, at_ms: int, country: str) -> None:
        for tenant in TENANTS:
            if at_ms < self.store.compacted_until_ms(tenant):
                with pytest.raises(HistoryCompacted):
                    self.store.title_table(tenant, at_ms, country, now_ms=NOW_MS)
                continue
            for profile_id in PROFILES:
                assert_same_state(
                    self.store.profile_state(tenant, profile_id, at_ms),
                    self.never.profile_state(tenant, profile_id, at_ms),
                )
            self.assert_same_rows(tenant, at_ms, country)

    @invariant()
    def nobody_can_tell(self) -> None:
        for tenant in TENANTS:
            self.assert_same_rows(tenant, None, "DE")
            for profile_id in PROFILES:
                assert_same_state(
                    self.store.profile_state(tenant, profile_id, None),
                    self.never.profile_state(tenant, profile_id, None),
                )
                whole = self.never.history(tenant, profile_id, most=1_000)
                assert self.store.watched_days(tenant, profile_id) == watched_days(whole)

    def assert_same_rows(self, tenant: str, as_of_ms: int | None, country: str) -> None:
        found, wanted = (
            rows(one.title_table(tenant, as_of_ms, country, now_ms=NOW_MS))
            for one in (self.store, self.never)
        )
        assert found.keys() == wanted.keys()
        for key, counters in found.items():
            np.testing.assert_allclose(counters, wanted[key], rtol=1e-6, atol=1e-9)


TestCompactedLog = CompactedLog.TestCase
TestCompactedLog.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
