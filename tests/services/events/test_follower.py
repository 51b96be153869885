"""Several replicas of which one follows, and a Redis that is a cluster."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import redis
from redis.cluster import RedisCluster

from libs.domain.event import DAY_MS, Event
from libs.features.profile_state import replay
from libs.storage.redis.client import open_async_client, open_client
from libs.storage.redis.feature_reader import RedisProfiles, RedisTitles
from services.events.follower import Follower
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, assert_same_state, watch
from tests.made_followers import running
from tests.made_servers import running_redis

TENANT = "default"
NOW_MS = START_MS + DAY_MS
WITHIN_S = 10.0


@contextmanager
def following(
    databases: PostgresDatabases, log_url: str, redis_url: str
) -> Iterator[threading.Event]:
    """A follower on a thread; the event is set once it has kept up."""
    has_followed = threading.Event()
    identities = databases.identities(log_url)
    follower = Follower(
        log_url,
        identities,
        open_client(redis_url, timeout_s=5.0),
        ttl_ms=DAY_MS,
        most_tenants=2,
        on_behind=lambda seconds: has_followed.set(),
    )
    with running(follower):
        yield has_followed


async def wait_for_events(redis_url: str, count: int) -> None:
    """Wait until profile0's features are those of the first `count` events of `made`."""
    profiles = RedisProfiles(open_async_client(redis_url))
    wanted = made(count)
    while True:
        found = await profiles.profile(TENANT, "profile0", timeout_s=5.0)
        if found is not None and found[1].newest_ms == wanted[-1].occurred_ms:
            break
    await profiles.close()
    assert_same_state(found[1], replay(wanted))


def made(count: int) -> list[Event]:
    return [watch(f"event{place}", START_MS + place) for place in range(count)]


async def test_another_replica_follows_when_the_first_is_gone(
    postgres_databases: PostgresDatabases, redis_url: str
) -> None:
    log_url = postgres_databases.fresh()
    with closing(postgres_databases.store(log_url)) as store:
        with following(postgres_databases, log_url, redis_url) as first_follows:
            assert first_follows.wait(WITHIN_S)
            store.record_events(TENANT, made(1), NOW_MS)
            await wait_for_events(redis_url, 1)
            second = following(postgres_databases, log_url, redis_url)
            second_follows = second.__enter__()
            assert not second_follows.wait(0.5)
        assert second_follows.wait(WITHIN_S)
        store.record_events(TENANT, made(2), NOW_MS)
        await wait_for_events(redis_url, 2)
        second.__exit__(None, None, None)
    postgres_databases.give_back(log_url)


async def test_the_keys_of_a_change_are_in_one_slot_of_a_cluster(
    postgres_databases: PostgresDatabases,
) -> None:
    log_url = postgres_databases.fresh()
    with running_redis("--cluster-enabled", "yes", "--save", "") as server:
        with redis.Redis(port=server.port) as node:
            node.execute_command("CLUSTER", "ADDSLOTS", *range(16_384))
            while node.cluster("info")["cluster_state"] != "ok":
                pass
        url = server.url(0).replace("redis://", "redis+cluster://").removesuffix("/0")
        with closing(open_client(url, timeout_s=5.0)) as client:
            assert isinstance(client, RedisCluster)
        with (
            closing(postgres_databases.store(log_url)) as store,
            following(postgres_databases, log_url, url) as follows,
            closing(RedisTitles(open_client(url, timeout_s=5.0))) as titles,
        ):
            assert follows.wait(WITHIN_S)
            store.record_events(TENANT, made(3), NOW_MS)
            await wait_for_events(url, 3)
            # Titles come after the profiles of a step.
            while not titles.title_changes(TENANT, 0).title_ids:
                pass
            assert titles.title_changes(TENANT, 0).title_ids == ("title0",)
    postgres_databases.give_back(log_url)
