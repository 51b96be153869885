"""A long log, shuffled and doubled, by two writers at once: the state is that of the set."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from random import Random
from typing import cast

import numpy as np
import psycopg
import pytest
import redis

from libs.domain.event import DAY_MS, Event
from libs.faults import PartUnavailable
from libs.features.event_columns import from_events
from libs.features.profile_state import replay
from libs.features.title_table import LiveTitleCounters
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.redis.client import open_client
from libs.storage.redis.feature_reader import RedisTitles
from libs.storage.redis.keys import FOLLOWED, profile_key
from libs.storage.redis.profile_hash import decode_hash
from services.events.follower import Follower
from services.events.group_commit import GroupCommit
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, assert_same_state
from tests.made_followers import running
from tests.made_log import made_event

TENANT = "default"
NOW_MS = START_MS + 400 * DAY_MS
BATCH = 500


def write_all(store: PostgresEventStore, batches: Sequence[list[Event]]) -> int:
    """Write every batch, again where it was refused; returns how many events were new."""
    count = 0
    for batch in batches:
        while True:
            try:
                count += store.record_events(TENANT, batch, NOW_MS).recorded_count
            except PartUnavailable:
                continue
            break
    return count


def test_two_writers_of_a_shuffled_and_doubled_log_make_the_state_of_its_set(
    postgres_databases: PostgresDatabases, redis_url: str, request: pytest.FixtureRequest
) -> None:
    rng = Random(11)
    events = [made_event(place, rng) for place in range(request.config.getoption("events"))]
    shuffled = [*events, *events]
    rng.shuffle(shuffled)
    batches = [shuffled[start : start + BATCH] for start in range(0, len(shuffled), BATCH)]
    url = postgres_databases.fresh()
    counts: list[int] = []
    identities = postgres_databases.identities(url)
    follower = Follower(
        url,
        identities,
        open_client(redis_url, timeout_s=10.0),
        ttl_ms=DAY_MS,
        most_tenants=1,
        on_behind=lambda seconds: None,
    )

    def write(some: Sequence[list[Event]]) -> None:
        with closing(postgres_databases.store(url)) as store:
            counts.append(write_all(store, some))

    with running(follower):
        in_threads(lambda: write(batches[::2]), lambda: write(batches[1::2]))
        wait_until_followed(url, redis_url)
    assert sum(counts) == len(events)

    by_profile: dict[str, list[Event]] = {}
    for event in events:
        by_profile.setdefault(event.profile_id, []).append(event)
    with redis.Redis.from_url(redis_url) as client:
        for profile_id, mine in by_profile.items():
            fields = client.hgetall(profile_key(TENANT, profile_id))
            found = decode_hash(cast("dict[bytes, bytes]", fields))[1]
            assert_same_state(found, replay(mine))
    with closing(RedisTitles(open_client(redis_url, timeout_s=10.0))) as reader:
        changes = reader.title_changes(TENANT, 0)
    wanted = LiveTitleCounters()
    wanted.add(from_events(events))
    assert sorted(zip(changes.countries, changes.title_ids, strict=True)) == sorted(
        wanted.rows.keys
    )
    for place, key in enumerate(zip(changes.countries, changes.title_ids, strict=True)):
        values, at_ms = wanted.row(wanted.rows.row(*key))
        assert changes.at_ms[place] == at_ms
        np.testing.assert_allclose(changes.counters[place], values, rtol=1e-9, atol=1e-250)
    postgres_databases.give_back(url)


def in_threads(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wait_until_followed(url: str, redis_url: str) -> None:
    with psycopg.connect(url) as connection, redis.Redis.from_url(redis_url) as client:
        [(last_xid,)] = connection.execute(
            "SELECT written_xid::text::bigint FROM batches ORDER BY written_xid DESC LIMIT 1"
        ).fetchall()
        while int(cast("bytes", client.hget(FOLLOWED, "xid") or b"0")) <= last_xid:
            threading.Event().wait(0.01)


async def test_writers_that_wait_for_each_other_both_succeed(
    postgres_databases: PostgresDatabases,
) -> None:
    url = postgres_databases.fresh()
    both = threading.Barrier(2)
    events = [made_event(place, Random(place)) for place in range(2)]

    def crossing(store: PostgresEventStore, order: Sequence[Event]) -> Callable[[], int]:
        """Records one after the other, the first time only when both writers have one."""
        tries = itertools.count()

        def write() -> int:
            count = store.record_events(TENANT, [order[0]], NOW_MS).recorded_count
            if next(tries) == 0:
                both.wait(20)
            return count + store.record_events(TENANT, [order[1]], NOW_MS).recorded_count

        return write

    with (
        closing(postgres_databases.store(url)) as one,
        closing(postgres_databases.store(url)) as other,
    ):
        commits = [GroupCommit(store, most_waiting=9) for store in (one, other)]
        counts = await asyncio.gather(
            commits[0].run(2, crossing(one, events)),
            commits[1].run(2, crossing(other, events[::-1])),
        )
        assert sorted(counts) == [0, 2]
        for some in commits:
            await some.close()
    postgres_databases.give_back(url)
