"""A log in PostgreSQL and the features in Redis that follow it."""

import asyncio
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import numpy as np

from libs.domain.event import DAY_MS, Event
from libs.domain.profile import Profile
from libs.features.profile_state import EMPTY, ProfileState, replay
from libs.features.title_table import LiveTitleCounters, TitleTable
from libs.storage.memory_event_store import MemoryEventStore
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.log_feed import LogFeed
from libs.storage.redis.client import open_async_client, open_client
from libs.storage.redis.feature_reader import RedisProfiles, RedisTitles
from libs.storage.redis.feature_writer import FeatureWriter
from services.events.projection import Projection
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, assert_same_counters, assert_same_state

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS
TTL_MS = 400 * DAY_MS


@dataclass
class Servers:
    """A database, Redis, and whoever writes or follows."""

    databases: PostgresDatabases
    log_url: str
    redis_url: str
    held: ExitStack = field(default_factory=ExitStack)

    def store(self) -> PostgresEventStore:
        return self.held.enter_context(closing(self.databases.store(self.log_url)))

    def feed(self) -> LogFeed:
        identities = self.held.enter_context(closing(self.databases.identities(self.log_url)))
        return self.held.enter_context(closing(LogFeed(self.log_url, identities)))

    def projection(self, feed: LogFeed | None = None) -> Projection:
        """One that leads and has begun."""
        feed = feed or self.feed()
        # A predecessor's lock goes a moment after its connection.
        while (epoch := feed.lead()) is None:
            pass
        client = self.held.enter_context(closing(open_client(self.redis_url, timeout_s=5.0)))
        projection = Projection(
            feed, FeatureWriter(client, epoch=epoch, ttl_ms=TTL_MS), most_tenants=2
        )
        projection.begin(lambda: False)
        return projection

    def profile(
        self, profile_id: str, tenant: str = TENANT
    ) -> tuple[Profile | None, ProfileState] | None:
        async def read() -> tuple[Profile | None, ProfileState] | None:
            profiles = RedisProfiles(open_async_client(self.redis_url))
            try:
                return await profiles.profile(tenant, profile_id, timeout_s=5.0)
            finally:
                await profiles.close()

        return asyncio.run(read())

    def state(self, profile_id: str) -> ProfileState:
        found = self.profile(profile_id)
        return EMPTY if found is None else found[1]

    def titles(self) -> RedisTitles:
        return self.held.enter_context(
            closing(RedisTitles(open_client(self.redis_url, timeout_s=5.0)))
        )

    def table(self, country: str = "DE") -> TitleTable:
        live = LiveTitleCounters()
        live.apply(self.titles().title_changes(TENANT, 0))
        return live.table(NOW_MS, (country,))


def keep_up(projection: Projection) -> None:
    while not projection.step().is_last:
        pass


def assert_same_table(found: TitleTable, wanted: TitleTable) -> None:
    assert found.title_ids == wanted.title_ids
    np.testing.assert_allclose(found.counters, wanted.counters, rtol=1e-6)
    for country, counters in wanted.country_counters.items():
        np.testing.assert_allclose(found.country_counters[country], counters, rtol=1e-6)


def assert_holds(servers: Servers, some: list[Event]) -> None:
    """The feature store is what these events make, each once."""
    for profile_id in {event.profile_id for event in some}:
        mine = [event for event in some if event.profile_id == profile_id]
        assert_same_state(servers.state(profile_id), replay(mine))
    fake = MemoryEventStore()
    fake.record_events(TENANT, some, NOW_MS)
    assert_same_table(servers.table(), fake.title_table(TENANT, None, "DE", now_ms=NOW_MS))


def assert_counts_of(servers: Servers, some: list[Event]) -> None:
    """Titles have the counters that these events make."""
    fake = MemoryEventStore()
    fake.record_events(TENANT, some, NOW_MS)
    assert_same_counters(servers.table(), fake.title_table(TENANT, None, "DE", now_ms=NOW_MS))
