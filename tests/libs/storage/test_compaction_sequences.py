"""Whatever is recorded, compacted, erased and made anew in any order: nobody can tell."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from libs.domain.event import DAY_MS, Event, EventKind, Thumb, ThumbDirection, WatchedInterval
from libs.domain.viewing import ViewingContext
from libs.faults import HistoryCompacted
from libs.features.title_table import LiveTitleCounters, TitleTable
from libs.features.watched_days import watched_days
from libs.storage.compaction import FIRST, Place, step
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.log_feed import LogFeed
from libs.storage.redis.client import open_client
from libs.storage.redis.feature_reader import RedisTitles
from libs.storage.redis.feature_writer import FeatureWriter
from libs.storage.redis.keys import profile_key, watched_key
from libs.storage.redis.profile_hash import decode_hash
from services.events.ports import EventStore
from services.events.projection import Projection
from tests.made_databases import PostgresDatabases
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


Rows = dict[tuple[str, str], np.ndarray]


def rows(table: TitleTable) -> Rows:
    """The counters of each title and country that are not zeros."""
    found = dict(table.country_counters)
    found[""] = table.counters
    return {
        (title_id, country): row
        for country, values in found.items()
        for title_id, row in zip(table.title_ids, values, strict=True)
        if np.abs(row).max() > 1e-9
    }


def assert_same(found: Rows, wanted: Rows) -> None:
    assert found.keys() == wanted.keys()
    for key, counters in found.items():
        np.testing.assert_allclose(counters, wanted[key], rtol=1e-6, atol=1e-9)


class CompactedLog(RuleBasedStateMachine):
    """A log beside a store that is never compacted."""

    store: EventStore

    def __init__(self) -> None:
        super().__init__()
        self.never = MemoryEventStore()
        self.known: dict[tuple[str, str], Event] = {}
        self.erased: set[tuple[str, str]] = set()
        self.place: Place | None = FIRST

    def compact(self, until_ms: int, after: Place, most: int) -> Place | None:
        """A step; where to go on."""
        raise NotImplementedError

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
        self.place = self.compact(until_ms, self.place or FIRST, most)

    @rule(tenant=st.sampled_from(TENANTS), profile_id=st.sampled_from(PROFILES))
    def erase(self, tenant: str, profile_id: str) -> None:
        self.erased.add((tenant, profile_id))
        found = self.store.erase_profile(tenant, profile_id, (), NOW_MS)
        wanted = self.never.erase_profile(tenant, profile_id, (), NOW_MS)
        assert (found.event_count, found.oldest_event_ms) == (
            wanted.event_count,
            wanted.oldest_event_ms,
        )

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
        assert_same(found, wanted)


class CompactedFile(CompactedLog):
    """The log in a file, whose features are made anew now and then."""

    store: SqliteEventStore

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "events.sqlite"
        self.store = SqliteEventStore(self.path)
        self.rebuilding: Iterator[float] | None = None

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def compact(self, until_ms: int, after: Place, most: int) -> Place | None:
        with self.store.transaction():
            return step(self.store._writer.connection, until_ms, after, most).after

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


TestCompactedFile = CompactedFile.TestCase
TestCompactedFile.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class CompactedServers(CompactedLog):
    """The log in PostgreSQL with two writers, and Redis, which follows it."""

    store: PostgresEventStore

    def __init__(self, databases: PostgresDatabases, redis_url: str) -> None:
        super().__init__()
        self.databases, self.log_url, self.redis_url = databases, databases.fresh(), redis_url
        self.store, self.other = databases.store(self.log_url), databases.store(self.log_url)
        self.client = open_client(redis_url, timeout_s=5.0)
        self.client.flushall()
        self.feed: LogFeed | None = None
        self.expired: set[tuple[str, str]] = set()
        self.identities = databases.identities(self.log_url)

    def teardown(self) -> None:
        for one in (self.feed, self.store, self.other, self.client, self.identities):
            if one is not None:
                one.close()
        self.databases.give_back(self.log_url)

    def compact(self, until_ms: int, after: Place, most: int) -> Place | None:
        return self.store.compact(until_ms, after, most).after

    @rule()
    def let_the_other_write(self) -> None:
        self.store, self.other = self.other, self.store

    @initialize(is_followed=st.booleans())
    def begin(self, is_followed: bool) -> None:
        if is_followed:
            self.begin_to_follow()

    @rule()
    def begin_to_follow(self) -> None:
        if self.feed is not None:
            self.feed.close()
        self.feed = LogFeed(self.log_url, self.identities)
        # The predecessor's lock goes a moment after its connection.
        while (epoch := self.feed.lead()) is None:
            pass
        writer = FeatureWriter(self.client, epoch=epoch, ttl_ms=400 * DAY_MS)
        self.projection = Projection(self.feed, writer, most_tenants=1)
        self.projection.begin(lambda: False)

    @precondition(lambda self: self.feed is not None)
    @rule(batch=BATCHES, until_ms=CUTS, notes=st.booleans())
    def record_and_compact_before_it_is_followed(
        self, batch: list[Event], until_ms: int, notes: bool
    ) -> None:
        self.record("default", batch)
        self.compact(until_ms, FIRST, 100)
        self.follow(notes)

    @precondition(lambda self: self.feed is not None)
    @rule(notes=st.booleans())
    def follow(self, notes: bool) -> None:
        with psycopg.connect(self.log_url) as connection:
            [(newest_xid,)] = connection.execute(
                "SELECT coalesce(max(written_xid::text::bigint), 0) FROM batches"
            ).fetchall()
        # The server's own transactions hold whoever follows up for a moment, too.
        while self.projection.step().until_xid <= newest_xid:
            pass
        if notes:
            self.projection.forget_followed()
        for tenant in TENANTS:
            for profile_id in PROFILES:
                self.assert_same_features(tenant, profile_id)
            live = LiveTitleCounters()
            live.apply(RedisTitles(self.client).title_changes(tenant, 0))
            wanted = self.never.title_table(tenant, None, "DE", now_ms=NOW_MS)
            assert_same(rows(live.table(NOW_MS, ("DE",))), rows(wanted))

    def assert_same_features(self, tenant: str, profile_id: str) -> None:
        fields = cast("dict[bytes, bytes]", self.client.hgetall(profile_key(tenant, profile_id)))
        if fields:
            self.expired.discard((tenant, profile_id))
        elif (tenant, profile_id) in self.expired:
            return  # nothing new has come
        if (tenant, profile_id) not in self.erased:
            assert_same_state(
                decode_hash(fields)[1], self.never.profile_state(tenant, profile_id, None)
            )

    @rule()
    def lose_redis(self) -> None:
        self.client.flushall()
        self.expired.clear()
        self.begin_to_follow()

    @rule(tenant=st.sampled_from(TENANTS), profile_id=st.sampled_from(PROFILES))
    def let_features_expire(self, tenant: str, profile_id: str) -> None:
        if self.feed is not None:
            self.client.delete(profile_key(tenant, profile_id), watched_key(tenant, profile_id))
            self.expired.add((tenant, profile_id))


@pytest.mark.timeout(300)
def test_whatever_is_compacted_on_servers_and_whoever_follows(
    postgres_databases: PostgresDatabases, redis_url: str
) -> None:
    class Machine(CompactedServers):
        """Of these servers."""

        def __init__(self) -> None:
            super().__init__(postgres_databases, redis_url)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
