"""The events service is killed while it compacts and erases, beside those who write."""

import itertools
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import cast

import grpc
import numpy as np
import psycopg
import pytest
import redis
from pydantic import SecretStr

from cli.suite import running, target, with_free_ports
from libs.domain.event import DAY_MS, Event
from libs.features.title_table import LiveTitleCounters
from libs.serving.settings import SuiteSettings
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.identities import Identities, open_identities
from libs.storage.postgres.log_feed import LogFeed
from libs.storage.recorded_log import LogServer
from libs.storage.redis.feature_reader import RedisTitles
from libs.storage.redis.feature_writer import FeatureWriter
from libs.storage.redis.keys import profile_key
from libs.storage.redis.profile_hash import decode_hash
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.ports import EventStore
from services.events.projection import Projection
from tests.killed_ingest import (
    BEGIN_MS,
    END_MS,
    PROFILES,
    TENANT,
    TITLES,
    kill_during_ingest,
    made_events,
)
from tests.made_events import assert_same_counters, assert_same_state, watch
from tests.made_servers import FAST, running_postgres, running_redis

pytestmark = pytest.mark.end_to_end

SEED = 20_261_123
OLD = 40_000
LARGE = "large-profile"
WITHIN_S = 60.0


def assert_holds(store: EventStore, events: list[Event]) -> None:
    """The store holds these events once each, and what they have made, compacted or not."""
    held = held_of(events)
    for number in range(PROFILES):
        profile_id = f"p{number}"
        assert_same_state(
            store.profile_state(TENANT, profile_id, None),
            held.profile_state(TENANT, profile_id, None),
        )
        days = store.watched_days(TENANT, profile_id)
        assert days == held.watched_days(TENANT, profile_id)
    for country in ("DE", "NZ"):
        assert_same_counters(
            store.title_table(TENANT, None, country, now_ms=END_MS),
            held.title_table(TENANT, None, country, now_ms=END_MS),
        )
    # Whoever sends them again hears of each that it is there.
    for start in range(0, len(events), 1_000):
        part = events[start : start + 1_000]
        assert store.record_events(TENANT, part, END_MS).duplicate_count == len(part)


def held_of(events: list[Event]) -> MemoryEventStore:
    held = MemoryEventStore()
    held.record_events(TENANT, events, END_MS)
    return held


def bear_out_the_clock(store: EventStore) -> None:
    """Let something have happened today and yesterday, or nothing would be old."""
    now_ms = time.time_ns() // 1_000_000
    some = [watch("yesterday", now_ms - DAY_MS), watch("today", now_ms)]
    store.record_events("clock", some, now_ms)


def test_compaction_beside_an_ingest_survives_kills(tmp_path: Path, kill_count: int) -> None:
    settings = with_free_ports(SuiteSettings(home=tmp_path, retention_days=30))
    old = list(itertools.islice(made_events(7, "old"), OLD))
    with closing(SqliteEventStore(settings.events_path)) as store:
        store.record_events(TENANT, old, END_MS)
        bear_out_the_clock(store)
    # Whatever is sent is older than the setting: each start compacts what came since the last.
    lefts: list[int] = []

    def note() -> None:
        lefts.append(
            count_of(settings.events_path, "events", "event_id LIKE 'old%' AND kind <> 10")
        )

    note()
    _, sent = kill_during_ingest(settings, kills=kill_count, seed=SEED, on_kill=note)
    assert any(lefts[0] > left > 0 for left in lefts), "no kill came while events were compacted"
    with closing(SqliteEventStore(settings.events_path)) as store:
        assert_holds(store, [*old, *sent])


def test_compaction_beside_an_ingest_into_servers_survives_kills(
    tmp_path: Path, kill_count: int
) -> None:
    with running_postgres(*FAST) as postgres, running_redis() as features:
        settings = with_free_ports(
            SuiteSettings(
                home=tmp_path,
                retention_days=30,
                events_url=SecretStr(postgres.url()),
                features_url=SecretStr(features.url()),
            )
        )
        server = settings.log_server
        assert server is not None
        old = list(itertools.islice(made_events(7, "old"), OLD))
        identities = open_identities(server.keys_url, server.secret, may_make=True)
        with (
            closing(PostgresEventStore(server.url, identities)) as store,
            redis.Redis.from_url(features.url()) as client,
        ):
            store.record_events(TENANT, old, END_MS)
            bear_out_the_clock(store)
            assert_followed(server, identities, client, old, is_anew=True)
            lefts: list[int] = []

            def note() -> None:
                with psycopg.connect(server.url) as connection:
                    [(count,)] = connection.execute(
                        "SELECT count(*) FROM events WHERE event_id LIKE 'old%' AND kind <> 10"
                    ).fetchall()
                lefts.append(count)

            note()
            _, sent = kill_during_ingest(settings, kills=kill_count, seed=SEED, on_kill=note)
            assert any(lefts[0] > left > 0 for left in lefts), (
                "no kill came while events were compacted"
            )
            everything = [*old, *sent]
            assert_holds(store, everything)
            assert_followed(server, identities, client, everything, is_anew=False)
            client.flushall()
            assert_followed(server, identities, client, everything, is_anew=True)


def assert_followed(
    server: LogServer,
    identities: Identities,
    client: "redis.Redis",
    events: list[Event],
    *,
    is_anew: bool,
) -> None:
    """Whoever follows brings the features to what the events make."""
    held = held_of(events)
    with closing(LogFeed(server.url, identities)) as feed:
        # The lock of a process that was killed goes a moment after it.
        while (epoch := feed.lead()) is None:
            pass
        writer = FeatureWriter(client, epoch=epoch, ttl_ms=400 * DAY_MS)
        projection = Projection(feed, writer, most_tenants=1)
        assert projection.begin(lambda: False) is is_anew
        while not projection.step().is_last:
            pass
    for number in range(PROFILES):
        fields = cast("dict[bytes, bytes]", client.hgetall(profile_key(TENANT, f"p{number}")))
        assert_same_state(decode_hash(fields)[1], held.profile_state(TENANT, f"p{number}", None))
    live = LiveTitleCounters()
    live.apply(RedisTitles(client).title_changes(TENANT, 0))
    for country in ("DE", "NZ"):
        assert_same_counters(
            live.table(END_MS, (country,)), held.title_table(TENANT, None, country, now_ms=END_MS)
        )


def test_an_erasure_beside_an_ingest_survives_kills(tmp_path: Path, kill_count: int) -> None:
    settings = with_free_ports(SuiteSettings(home=tmp_path))
    random = np.random.default_rng(SEED)
    own = [
        watch(
            f"own{n}",
            int(random.integers(BEGIN_MS, END_MS)),
            profile_id=LARGE,
            title_id=f"t{random.integers(TITLES)}",
        )
        for n in range(OLD)
    ]
    with closing(SqliteEventStore(settings.events_path)) as store:
        store.record_events(TENANT, own, END_MS)
        first = store.erase_profile(TENANT, LARGE, ("ranking", "recap"), END_MS)
        assert not first.is_removed
    # Each process goes on where the last one was killed.
    lefts: list[int] = []

    def note() -> None:
        lefts.append(count_of(settings.events_path, "events", f"profile_id = '{LARGE}'"))

    note()
    _, sent = kill_during_ingest(settings, kills=kill_count, seed=SEED, on_kill=note)
    assert lefts == sorted(lefts, reverse=True)
    assert any(lefts[0] > left > 0 for left in lefts), "no kill came while a profile was erased"
    with running(settings, names=("events",)) as suite:
        erase = events_pb2_grpc.EventsServiceStub(
            grpc.insecure_channel(target(suite.settings, "events"))
        ).EraseProfile
        until_s = time.monotonic() + WITHIN_S
        while any(
            count_of(settings.events_path, table, f"profile_id = '{LARGE}'")
            for table in ("events", "profile_titles", "profile_counters")
        ):
            assert time.monotonic() < until_s, "an erasure does not end"
            answer = erase(events_pb2.EraseProfileRequest(profile_id=LARGE), timeout=20)
            assert (answer.event_count, answer.had_profile) == (OLD, False)
            assert not answer.is_complete  # the other services are not there
    with closing(SqliteEventStore(settings.events_path)) as store:
        assert_holds(store, sent)


def count_of(path: Path, table: str, condition: str) -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute(
            f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608  constants
        ).fetchone()
    return int(count)
