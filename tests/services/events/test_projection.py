"""Two writers of the log, and the feature store that follows it, on real servers."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from random import Random

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from libs.domain.decision import Decision
from libs.domain.event import DAY_MS, Event, EventKind, Thumb, ThumbDirection
from libs.domain.profile import Profile
from libs.faults import PartUnavailable
from libs.features.profile_state import EMPTY, replay
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.log_feed import LogFeed
from libs.storage.postgres.stretch import Stretch
from libs.storage.redis.feature_writer import ANY, ProfileWrite, Superseded
from libs.storage.redis.keys import FOLLOWED, profile_key
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, assert_same_state, event_lists, impression, watch
from tests.made_following import (
    NOW_MS,
    TENANT,
    TTL_MS,
    Servers,
    assert_counts_of,
    assert_holds,
    keep_up,
)


@pytest.fixture
def servers(postgres_databases: PostgresDatabases, redis_url: str) -> Iterator[Servers]:
    made = Servers(postgres_databases, postgres_databases.fresh(), redis_url)
    with made.held:
        yield made
    postgres_databases.give_back(made.log_url)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(event_lists(most=16), st.randoms(use_true_random=False), st.data())
def test_two_writers_and_any_order_make_one_state(
    postgres_databases: PostgresDatabases,
    redis_url: str,
    some: list[Event],
    random: Random,
    data: st.DataObject,
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    servers = Servers(postgres_databases, postgres_databases.fresh(), redis_url)
    with servers.held:
        writers = [servers.store(), servers.store()]
        projection = servers.projection()
        doubled = [*some, *some]
        random.shuffle(doubled)
        while doubled:
            size = data.draw(st.integers(1, len(doubled)))
            writers[random.randrange(2)].record_events(TENANT, doubled[:size], NOW_MS)
            del doubled[:size]
            if random.random() < 0.5:
                keep_up(projection)
        keep_up(projection)
        assert_holds(servers, some)
    postgres_databases.give_back(servers.log_url)


def test_what_commits_late_is_not_skipped(servers: Servers) -> None:
    slow, fast = servers.store(), servers.store()
    projection = servers.projection()
    with slow.transaction():
        slow.record_events(TENANT, [watch("slow", START_MS)], NOW_MS)
        fast.record_events(TENANT, [watch("fast", START_MS + 1)], NOW_MS)
        keep_up(projection)
        assert_same_state(servers.state("profile0"), EMPTY)
    keep_up(projection)
    assert_holds(servers, [watch("slow", START_MS), watch("fast", START_MS + 1)])


def test_the_same_event_at_two_writers_at_once_counts_once(servers: Servers) -> None:
    first, second = servers.store(), servers.store()
    projection = servers.projection()
    some = [watch(str(place), START_MS + place) for place in range(20)]

    async def both() -> tuple[int, int]:
        def write(store: PostgresEventStore, events: list[Event]) -> int:
            return store.record_events(TENANT, events, NOW_MS).recorded_count

        return await asyncio.gather(
            asyncio.to_thread(write, first, some), asyncio.to_thread(write, second, some[::-1])
        )

    assert sum(asyncio.run(both())) == len(some)
    keep_up(projection)
    assert_holds(servers, some)


def test_an_impression_and_its_decision_at_two_writers_at_once_find_each_other(
    servers: Servers,
) -> None:
    def decision(page_id: str) -> Decision:
        return Decision(page_id, "profile0", START_MS, "policy", ("title0", "title1"), (1.0, 1.0))

    first, second = servers.store(), servers.store()

    async def both(page: int) -> None:
        shown = impression(f"event{page}", START_MS, title_id="title1", page_id=f"page{page}")
        await asyncio.gather(
            asyncio.to_thread(first.record_decisions, TENANT, [decision(f"page{page}")], NOW_MS),
            asyncio.to_thread(second.record_events, TENANT, [shown], NOW_MS),
        )

    for page in range(30):
        asyncio.run(both(page))
    found = first.history(TENANT, "profile0", most=99)
    assert len(found) == 30
    assert all(event.attribution is not None for event in found)


def test_going_over_a_part_again_changes_nothing(servers: Servers) -> None:
    store = servers.store()
    feed = servers.feed()
    projection = servers.projection(feed)
    some = [watch(str(place), START_MS + place, country="DE") for place in range(5)]
    store.record_events(TENANT, some[:3], NOW_MS)
    with redis.Redis.from_url(servers.redis_url) as client:
        before = client.hgetall(FOLLOWED)
        keep_up(projection)
        # As after a crash before how far it came was noted.
        client.hset(FOLLOWED, mapping=before)
    store.record_events(TENANT, some[3:], NOW_MS)
    feed.close()
    keep_up(servers.projection())
    assert_holds(servers, some)


def test_features_come_back_from_the_log_when_redis_has_lost_them(servers: Servers) -> None:
    store = servers.store()
    feed = servers.feed()
    keep_up(servers.projection(feed))
    some = [watch("a", START_MS, country="DE"), watch("b", START_MS, profile_id="profile1")]
    store.record_events(TENANT, some, NOW_MS)
    store.upsert_profiles(TENANT, [Profile("profile1", country="NZ"), Profile("profile2")])
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    with pytest.raises(PartUnavailable, match="rebuilt"):
        servers.profile("profile0")
    with pytest.raises(PartUnavailable, match="rebuilt"):
        servers.table()
    feed.close()
    keep_up(servers.projection())
    assert_holds(servers, some)
    found = servers.profile("profile1")
    assert found is not None
    assert found[0] == Profile("profile1", country="NZ")
    found = servers.profile("profile2")
    assert found is not None
    assert found[0] == Profile("profile2")
    assert_same_state(found[1], EMPTY)
    assert servers.profile("nobody") is None


def test_an_expired_profile_comes_back_whole_with_its_next_event(servers: Servers) -> None:
    store = servers.store()
    projection = servers.projection()
    store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
    keep_up(projection)
    with redis.Redis.from_url(servers.redis_url) as client:
        assert 0 < int(client.pttl(profile_key(TENANT, "profile0"))) <= TTL_MS
        client.delete(profile_key(TENANT, "profile0"))
    assert servers.profile("profile0") is None
    store.record_events(TENANT, [watch("b", START_MS + 5, title_id="x")], NOW_MS)
    keep_up(projection)
    assert_holds(servers, [watch("a", START_MS), watch("b", START_MS + 5, title_id="x")])


def test_one_follows_at_a_time_and_a_predecessor_is_refused(servers: Servers) -> None:
    store = servers.store()
    feed = servers.feed()
    old = servers.projection(feed)
    assert servers.feed().lead() is None
    store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
    # The lock goes with the connection, and the predecessor has not noticed yet.
    [(pid,)] = feed._connection.execute("SELECT pg_backend_pid()").fetchall()
    with psycopg.connect(servers.log_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    keep_up(servers.projection())
    with pytest.raises(Superseded):
        old._writer.write([ProfileWrite(TENANT, "profile0", ANY, 1)])
    with pytest.raises(Superseded):
        old._writer.write_titles(TENANT, ANY, 1, [])
    assert_holds(servers, [watch("a", START_MS)])


def test_a_stored_profile_is_read_with_its_features(servers: Servers) -> None:
    store = servers.store()
    projection = servers.projection()
    store.upsert_profiles(TENANT, [Profile("profile0", country="DE")])
    store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
    keep_up(projection)
    store.upsert_profiles(TENANT, [Profile("profile0", country="NZ", languages=("de", "en"))])
    keep_up(projection)
    found = servers.profile("profile0")
    assert found is not None
    assert found[0] == Profile("profile0", country="NZ", languages=("de", "en"))
    assert_same_state(found[1], replay([watch("a", START_MS)]))


def test_tenants_share_nothing_and_more_than_are_held_keep_counting(servers: Servers) -> None:
    store = servers.store()
    projection = servers.projection()
    for day in range(2):
        for tenant in ("one", "two", "three"):
            event = watch(f"{day}", START_MS + day * DAY_MS)
            store.record_events(tenant, [event], NOW_MS)
            keep_up(projection)
    for tenant in ("one", "two", "three"):
        found = servers.profile("profile0", tenant)
        assert found is not None
        wanted = [watch(f"{day}", START_MS + day * DAY_MS) for day in range(2)]
        assert_same_state(found[1], replay(wanted))
        changes = servers.titles().title_changes(tenant, 0)
        assert changes.title_ids == ("title0",)
        assert servers.titles().title_changes(tenant, changes.last_change).title_ids == ()


def test_a_log_restored_from_another_server_is_followed(servers: Servers) -> None:
    store = servers.store()
    some = [watch("a", START_MS), watch("b", START_MS + 1)]
    store.record_events(TENANT, some[:1], NOW_MS)
    with psycopg.connect(servers.log_url) as connection:
        # That server had been through far more transactions.
        connection.execute("UPDATE batches SET written_xid = '99999999999'")
    projection = servers.projection()
    assert_holds(servers, some[:1])
    store.record_events(TENANT, some[1:], NOW_MS)
    keep_up(projection)
    assert_holds(servers, some)


def test_who_is_erased_leaves_the_counters_wherever_the_follower_is(servers: Servers) -> None:
    store = servers.store()
    kept = [watch(f"kept{place}", START_MS + place, profile_id="kept") for place in range(3)]
    projection = servers.projection()
    store.record_events(TENANT, kept[:1], NOW_MS)
    store.record_events(TENANT, [watch("a", START_MS, title_id="title1")], NOW_MS)
    keep_up(projection)
    # One part of it was counted, another is written and not followed yet.
    store.record_events(TENANT, [watch("b", START_MS + 1)], NOW_MS)
    store.erase_profile(TENANT, "profile0", (), NOW_MS)
    store.record_events(TENANT, kept[1:], NOW_MS)
    keep_up(projection)
    assert_counts_of(servers, kept)
    projection.forget_followed()
    with psycopg.connect(servers.log_url) as connection:
        assert connection.execute("SELECT count(*) FROM withdrawn").fetchall() == [(0,)]


@pytest.mark.parametrize("counted", range(4))
def test_thumbs_of_who_is_erased_leave_the_likes_wherever_the_follower_is(
    servers: Servers, counted: int
) -> None:
    store, projection = servers.store(), servers.projection()
    kept = thumb("kept", "other", 0, ThumbDirection.UP)
    store.record_events(TENANT, [kept], NOW_MS)
    said = [ThumbDirection.UP, ThumbDirection.DOWN, ThumbDirection.RETRACTED, ThumbDirection.UP]
    for place, direction in enumerate(said):
        store.record_events(TENANT, [thumb(f"t{place}", "profile0", place, direction)], NOW_MS)
        if place == counted:
            keep_up(projection)
    store.erase_profile(TENANT, "profile0", (), NOW_MS)
    keep_up(projection)
    assert_counts_of(servers, [kept])


def test_a_thumb_that_comes_after_what_took_it_back_is_no_like(servers: Servers) -> None:
    store, projection = servers.store(), servers.projection()
    said = [
        thumb("first", "other", 0, ThumbDirection.UP),
        thumb("back", "profile0", 2, ThumbDirection.RETRACTED),
        thumb("late", "profile0", 1, ThumbDirection.UP),
    ]
    for one in said:
        store.record_events(TENANT, [one], NOW_MS)
        keep_up(projection)
        # Nothing is counted of who has only taken back: the next look must know it all the same.
    assert_counts_of(servers, said)


def test_a_profile_that_is_erased_while_its_thumb_is_followed_leaves_no_like(
    servers: Servers,
) -> None:
    store = servers.store()
    kept = thumb("kept", "other", 0, ThumbDirection.UP)
    is_next = False

    class Erased(LogFeed):
        """A feed after whose look a profile is erased."""

        def read(self, from_xid: int, *, most_events: int) -> Stretch:
            nonlocal is_next
            found = super().read(from_xid, most_events=most_events)
            if is_next:
                is_next = False
                store.erase_profile(TENANT, "profile0", (), NOW_MS)
            return found

    identities = servers.held.enter_context(closing(servers.databases.identities(servers.log_url)))
    feed = servers.held.enter_context(closing(Erased(servers.log_url, identities)))
    projection = servers.projection(feed)
    store.record_events(TENANT, [kept, thumb("up", "profile0", 1, ThumbDirection.UP)], NOW_MS)
    keep_up(projection)
    store.record_events(TENANT, [thumb("down", "profile0", 2, ThumbDirection.DOWN)], NOW_MS)
    is_next = True
    keep_up(projection)
    keep_up(projection)
    assert not is_next
    assert_counts_of(servers, [kept])


def thumb(event_id: str, profile_id: str, place: int, direction: ThumbDirection) -> Event:
    detail = Thumb(direction)
    return Event(
        event_id, profile_id, EventKind.THUMB, START_MS + place, title_id="title0", detail=detail
    )


def test_what_is_withdrawn_while_all_is_made_anew_counts_once(servers: Servers) -> None:
    store, kept = servers.store(), watch("kept", START_MS, profile_id="kept")
    store.record_events(TENANT, [kept, watch("a", START_MS + 1)], NOW_MS)

    class Erased(LogFeed):
        """A feed under whose hands a profile is erased between two of its looks."""

        def horizon(self) -> int:
            found = super().horizon()
            store.erase_profile(TENANT, "profile0", (), NOW_MS)
            return found

    identities = servers.held.enter_context(closing(servers.databases.identities(servers.log_url)))
    feed = servers.held.enter_context(closing(Erased(servers.log_url, identities)))
    projection = servers.projection(feed)
    keep_up(projection)
    assert_counts_of(servers, [kept])


def test_an_erasure_in_a_transaction_that_began_before_others_is_after_them(
    servers: Servers,
) -> None:
    first, second = servers.store(), servers.store()
    projection = servers.projection()
    kept = watch("kept", START_MS, profile_id="kept")
    with first.transaction():
        first.record_events("other", [watch("x", START_MS, profile_id="stranger")], NOW_MS)
        second.record_events(TENANT, [kept, watch("later", START_MS + 1)], NOW_MS)
        first.erase_profile(TENANT, "profile0", (), NOW_MS)
    keep_up(projection)
    assert_counts_of(servers, [kept])


def test_erasures_of_another_server_s_dump_are_done(servers: Servers) -> None:
    store, kept = servers.store(), watch("kept", START_MS, profile_id="kept")
    store.record_events(TENANT, [kept, watch("a", START_MS + 1)], NOW_MS)
    store.erase_profile(TENANT, "profile0", ("features",), NOW_MS)
    with psycopg.connect(servers.log_url) as connection:
        # As that server counted, which had come further.
        for table in ("erasures", "withdrawn"):
            connection.execute(
                sql.SQL("UPDATE {} SET erased_xid = '1000000000'").format(sql.Identifier(table))
            )
    keep_up(servers.projection())
    assert_counts_of(servers, [kept])
    assert store.erased_xid(TENANT, "profile0") == 0


def test_who_has_lost_the_lock_while_it_worked_writes_nothing(servers: Servers) -> None:
    store = servers.store()

    class Paused(LogFeed):
        """A feed that is cut off, and followed by another, between reading and writing."""

        is_cut = False

        def check_leading(self) -> None:
            if not self.is_cut:
                self.is_cut = True
                with psycopg.connect(servers.log_url, autocommit=True) as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
                        " WHERE locktype = 'advisory' AND objid = 7400003"
                    )
                keep_up(servers.projection())
            super().check_leading()

    identities = servers.held.enter_context(closing(servers.databases.identities(servers.log_url)))
    feed = servers.held.enter_context(closing(Paused(servers.log_url, identities)))
    projection = servers.projection(feed)
    store.record_events(TENANT, [watch("a", START_MS)], NOW_MS)
    with pytest.raises(psycopg.Error):
        keep_up(projection)
    assert feed.is_cut
    assert_holds(servers, [watch("a", START_MS)])
