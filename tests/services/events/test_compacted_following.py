"""What is compacted under those who follow the log: features never lack it nor count it twice."""

import threading
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import psycopg
import pytest
import redis

from libs.domain.event import DAY_MS, Event
from libs.domain.profile import Profile
from libs.faults import PartUnavailable, StartFault
from libs.features.profile_state import EMPTY
from libs.storage.compaction import FIRST, Place
from libs.storage.postgres import followed
from libs.storage.postgres.database import open_writer
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.log_feed import LogFeed
from libs.storage.redis.keys import FOLLOWED, profile_key, watched_key
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, assert_same_state, watch
from tests.made_following import (
    NOW_MS,
    TENANT,
    Servers,
    assert_counts_of,
    assert_holds,
    keep_up,
)

UNTIL_MS = START_MS // DAY_MS * DAY_MS + 20 * DAY_MS
OLD = [
    watch(f"e{place}", START_MS + place * DAY_MS, title_id=f"title{place % 3}", country="DE")
    for place in range(6)
]
NEW = [watch("new", UNTIL_MS + 1, country="DE"), watch("kept", START_MS, profile_id="kept")]


@pytest.fixture
def servers(postgres_databases: PostgresDatabases, redis_url: str) -> Iterator[Servers]:
    made = Servers(postgres_databases, postgres_databases.fresh(), redis_url)
    with made.held:
        yield made
    postgres_databases.give_back(made.log_url)


def compact(store: PostgresEventStore, most: int = 500) -> int:
    after: Place | None = FIRST
    count = 0
    while after is not None:
        done = store.compact(UNTIL_MS, after, most)
        if done.is_elsewhere:
            break
        count, after = count + done.event_count, done.after
    return count


def left(servers: Servers) -> set[str]:
    with psycopg.connect(servers.log_url) as connection:
        return {one for (one,) in connection.execute("SELECT event_id FROM events").fetchall()}


def forget_redis(servers: Servers) -> None:
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()


def test_what_is_not_followed_is_not_compacted(servers: Servers) -> None:
    store, projection = servers.store(), servers.projection()
    store.record_events(TENANT, OLD[:3], NOW_MS)
    assert compact(store) == 0
    keep_up(projection)
    assert compact(store) == 0  # nobody has noted that it was followed
    projection.forget_followed()
    store.record_events(TENANT, [*OLD[3:], *NEW], NOW_MS)
    assert compact(store) == 3
    assert left(servers) == {"e3", "e4", "e5", "new", "kept"}
    keep_up(projection)
    assert_holds(servers, [*OLD, *NEW])
    projection.forget_followed()
    assert compact(store) == 4
    assert_holds(servers, [*OLD, *NEW])


def test_features_are_made_anew_of_what_is_kept(servers: Servers) -> None:
    store, feed = servers.store(), servers.feed()
    projection = servers.projection(feed)
    store.record_events(TENANT, [*OLD, *NEW], NOW_MS)
    store.upsert_profiles(TENANT, [Profile("kept", country="NZ")])
    keep_up(projection)
    projection.forget_followed()
    assert compact(store, most=2) == 7
    forget_redis(servers)
    feed.close()
    projection = servers.projection()
    assert_holds(servers, [*OLD, *NEW])
    found = servers.profile("kept")
    assert found is not None
    assert found[0] == Profile("kept", country="NZ")
    # And they go on from there.
    late = watch("late", START_MS - DAY_MS, from_ms=5_000, to_ms=9_000)
    store.record_events(TENANT, [late], NOW_MS)
    keep_up(projection)
    assert_holds(servers, [*OLD, *NEW, late])


def test_an_expired_profile_comes_back_with_what_is_kept_of_it(servers: Servers) -> None:
    store, projection = servers.store(), servers.projection()
    store.record_events(TENANT, OLD, NOW_MS)
    keep_up(projection)
    projection.forget_followed()
    assert compact(store) == len(OLD)
    with redis.Redis.from_url(servers.redis_url) as client:
        client.delete(profile_key(TENANT, "profile0"), watched_key(TENANT, "profile0"))
    store.record_events(TENANT, NEW, NOW_MS)
    keep_up(projection)
    assert_holds(servers, [*OLD, *NEW])


def test_a_redis_that_has_followed_less_than_is_compacted_is_made_anew(servers: Servers) -> None:
    store, feed = servers.store(), servers.feed()
    projection = servers.projection(feed)
    store.record_events(TENANT, OLD[:2], NOW_MS)
    keep_up(projection)
    with redis.Redis.from_url(servers.redis_url) as client:
        before = client.hgetall(FOLLOWED)
        store.record_events(TENANT, OLD[2:], NOW_MS)
        keep_up(projection)
        projection.forget_followed()
        assert compact(store) == len(OLD)
        # As of a copy of before, whose process nobody can tell from this one.
        client.delete(profile_key(TENANT, "profile0"), watched_key(TENANT, "profile0"))
        client.hset(FOLLOWED, mapping=before)
    feed.close()
    projection = servers.projection()
    assert_holds(servers, OLD)


def test_who_is_upgraded_begins_with_everything(servers: Servers) -> None:
    """A release before could not compact, and nobody noted how far the log was followed."""
    store, feed = servers.store(), servers.feed()
    keep_up(servers.projection(feed))
    store.record_events(TENANT, OLD, NOW_MS)
    with psycopg.connect(servers.log_url) as connection:
        connection.execute("DELETE FROM followed")
    assert compact(store) == len(OLD)
    feed.close()
    servers.projection()
    assert_holds(servers, OLD)


def test_whoever_begins_anew_waits_for_the_step_that_is_under_way(servers: Servers) -> None:
    store, feed = servers.store(), servers.feed()
    store.record_events(TENANT, OLD, NOW_MS)
    begun: list[int] = []
    thread = threading.Thread(target=lambda: begun.append(feed.begin_anew()))
    with store.transaction():
        assert store.compact(UNTIL_MS, FIRST).event_count == len(OLD)
        thread.start()
        with psycopg.connect(servers.log_url, autocommit=True) as admin:
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while admin.execute(waiting).fetchall() == [(0,)]:
                assert thread.is_alive()
        assert not begun
    thread.join(20)
    assert feed.followed() == begun[0]


def test_of_two_replicas_one_compacts(servers: Servers) -> None:
    first, second = servers.store(), servers.store()
    first.record_events(TENANT, OLD, NOW_MS)
    with first.transaction():
        done = first.compact(UNTIL_MS, FIRST, 2)
        assert done.event_count == 2
        other = second.compact(UNTIL_MS, FIRST, 2)
        assert (other.event_count, other.after, other.is_elsewhere) == (0, FIRST, True)
        # Writers go on beside the step, and who sends again what it compacts hears of it later.
        assert second.record_events(TENANT, NEW, NOW_MS).recorded_count == 2
    assert compact(second, 2) == len(OLD) - 2 + 1
    assert compact(first, 2) == 0
    again = second.record_events(TENANT, [*OLD, *NEW], NOW_MS)
    assert again.duplicate_count == len(OLD) + len(NEW)
    state = first.profile_state(TENANT, "profile0", None)
    keep_up(servers.projection())
    assert_holds(servers, [*OLD, *NEW])
    assert_same_state(state, servers.state("profile0"))


def test_replicas_that_compact_and_write_at_once_double_nothing(servers: Servers) -> None:
    some = [
        watch(
            f"e{place}",
            START_MS + place % 10 * DAY_MS + place,
            profile_id=f"profile{place % 4}",
            title_id=f"title{place % 3}",
            country="DE",
        )
        for place in range(400)
    ]
    stores = [servers.store() for _ in range(3)]
    stores[0].record_events(TENANT, some[:200], NOW_MS)
    counts: list[int] = []
    is_over = threading.Event()

    def keep_compacting(store: PostgresEventStore) -> None:
        while not is_over.is_set():
            counts.append(compact(store, most=7))

    threads = [threading.Thread(target=keep_compacting, args=(one,)) for one in stores[:2]]
    for thread in threads:
        thread.start()
    for start in range(200, 400, 20):
        # Half of each are sent again.
        sent = stores[2].record_events(TENANT, some[start - 20 : start + 20], NOW_MS)
        assert (sent.recorded_count, sent.duplicate_count) == (20, 20)
    is_over.set()
    for thread in threads:
        thread.join(60)
    counts.append(compact(stores[2]))
    assert sum(counts) == len(some)
    assert left(servers) == set()
    servers.projection()
    assert_holds(servers, some)


def test_an_event_that_is_sent_again_while_it_is_compacted_is_a_duplicate(
    servers: Servers,
) -> None:
    first, second = servers.store(), servers.store()
    first.record_events(TENANT, OLD, NOW_MS)
    duplicates: list[int] = []

    def send_again() -> None:
        new = watch("fresh", START_MS, profile_id="profile1")
        duplicates.append(second.record_events(TENANT, [*OLD, new], NOW_MS).duplicate_count)

    thread = threading.Thread(target=send_again)
    with first.transaction():
        assert first.compact(UNTIL_MS, FIRST).event_count == len(OLD)
        thread.start()
        with psycopg.connect(servers.log_url, autocommit=True) as admin:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while admin.execute(waiting).fetchall() == [(0,)]:
                assert thread.is_alive()
    thread.join(20)
    assert duplicates == [len(OLD)]
    assert left(servers) == {"fresh"}
    assert second.record_events(TENANT, OLD, NOW_MS).duplicate_count == len(OLD)


@pytest.mark.parametrize("is_followed", [True, False])
def test_shares_of_who_is_erased_leave_the_counters_wherever_the_follower_is(
    servers: Servers, is_followed: bool
) -> None:
    store, projection = servers.store(), servers.projection()
    store.record_events(TENANT, [*OLD, *NEW], NOW_MS)
    keep_up(projection)
    projection.forget_followed()
    assert compact(store) == 7
    later = watch("later", START_MS + 1, title_id="title1", country="NZ")
    store.record_events(TENANT, [later], NOW_MS)
    if is_followed:
        keep_up(projection)
    erasure = store.erase_profile(TENANT, "profile0", (), NOW_MS)
    assert (erasure.event_count, erasure.oldest_event_ms) == (len(OLD) + 2, START_MS)
    assert erasure.title_count == 3
    with psycopg.connect(servers.log_url) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM withdrawn_shares").fetchall()
        assert count > 0
    keep_up(projection)
    assert_counts_of(servers, NEW[1:])
    projection.forget_followed()
    with psycopg.connect(servers.log_url) as connection:
        assert connection.execute("SELECT count(*) FROM withdrawn_shares").fetchall() == [(0,)]
    assert store.watched_days(TENANT, "profile0") == []
    assert_same_state(store.profile_state(TENANT, "profile0", None), EMPTY)


def test_who_is_erased_while_all_is_made_anew_counts_until_then(servers: Servers) -> None:
    store, kept = servers.store(), NEW[1]
    store.record_events(TENANT, [*OLD, kept], NOW_MS)
    assert compact(store) == len(OLD) + 1

    class Erased(LogFeed):
        """A feed under whose hands a profile is erased between two of its looks."""

        def horizon(self) -> int:
            found = super().horizon()
            store.erase_profile(TENANT, "profile0", (), NOW_MS)
            return found

    identities = servers.held.enter_context(closing(servers.databases.identities(servers.log_url)))
    feed = servers.held.enter_context(closing(Erased(servers.log_url, identities)))
    keep_up(servers.projection(feed))
    assert_counts_of(servers, [kept])


def test_tenants_of_whom_only_bases_are_left_are_made_anew_too(servers: Servers) -> None:
    store = servers.store()
    for tenant in ("one", TENANT, "two"):
        store.record_events(tenant, OLD, NOW_MS)
    assert compact(store, most=4) == 3 * len(OLD)
    assert left(servers) == set()
    servers.projection()
    assert_holds(servers, OLD)
    for tenant in ("one", "two"):
        found = servers.profile("profile0", tenant)
        assert found is not None
        assert_same_state(found[1], store.profile_state(TENANT, "profile0", None))
        changes = servers.titles().title_changes(tenant, 0)
        assert set(changes.title_ids) == {"title0", "title1", "title2"}


def test_a_step_that_is_killed_has_done_nothing(servers: Servers) -> None:
    store = servers.store()
    store.record_events(TENANT, OLD, NOW_MS)
    before = store.profile_state(TENANT, "profile0", None)

    def killed() -> None:
        with store.transaction():
            store.compact(UNTIL_MS, FIRST, 3)
            with psycopg.connect(servers.log_url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE objid = 7400004"
                )

    with pytest.raises(PartUnavailable):
        killed()
    assert left(servers) == {one.event_id for one in OLD}
    assert store.compacted_until_ms(TENANT) == -1
    with closing(open_writer(servers.log_url)) as connection:
        assert followed.read(connection) is None
    assert compact(store) == len(OLD)
    assert_same_state(store.profile_state(TENANT, "profile0", None), before)


def test_nobody_s_events_stay_shut_and_the_rest_is_compacted(servers: Servers) -> None:
    """A log that came back from before an erasure has events whose key is gone."""
    store = servers.store()
    some = [watch(f"gone{place}", START_MS + place, profile_id="gone") for place in range(9)]
    store.record_events(TENANT, [*OLD, *some], NOW_MS)
    with psycopg.connect(servers.log_url) as backup:
        rows = backup.execute("SELECT * FROM events WHERE event_id LIKE 'gone%'").fetchall()
    store.erase_profile(TENANT, "gone", (), NOW_MS)
    assert store.scrub()
    with psycopg.connect(servers.log_url) as restored:
        marks = ", ".join(["%s"] * len(rows[0]))
        for row in rows:
            restored.execute(f"INSERT INTO events VALUES ({marks})", row)  # noqa: S608  marks alone
    assert compact(store, most=2) == len(OLD)
    assert left(servers) == {event.event_id for event in some}


def test_days_and_ids_are_those_of_all_events(servers: Servers) -> None:
    store = servers.store()
    store.record_events(TENANT, [*OLD, *NEW], NOW_MS)
    days = store.watched_days(TENANT, "profile0")
    assert compact(store, most=2) == len(OLD) + 1
    assert store.watched_days(TENANT, "profile0") == days
    assert sum(one.watched_ms for one in days) == 5_000 * (len(OLD) + 1)
    rejected: Event = watch("e0", NOW_MS + 3 * DAY_MS)
    # What is wrong as well as known is known.
    assert store.record_events(TENANT, [rejected], NOW_MS).duplicate_count == 1
    table = store.title_table(TENANT, UNTIL_MS, "DE", now_ms=NOW_MS)
    assert table.title_ids == ("title0", "title1", "title2")
    assert np.isfinite(table.counters).all()


def test_bases_of_another_feature_schema_are_refused(servers: Servers) -> None:
    store = servers.store()
    store.record_events(TENANT, OLD, NOW_MS)
    assert compact(store) == len(OLD)
    with psycopg.connect(servers.log_url) as connection:
        connection.execute("UPDATE compactions SET feature_schema = 0")
    for opened in (servers.databases.store, servers.databases.reader):
        with pytest.raises(StartFault, match="compacted events of feature schema 0"):
            opened(servers.log_url)
