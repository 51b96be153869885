"""An erasure reaches Redis and its files, PostgreSQL and its files, and nobody brings it back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redis

from libs.domain.event import DAY_MS, Event, EventKind, Search
from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext
from libs.faults import PartUnavailable, StartFault
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.identities import open_identities
from libs.storage.redis.client import open_client
from libs.storage.redis.feature_eraser import FeatureEraser
from libs.storage.redis.keys import profile_key
from services.events.features_erasure import FeaturesErasure
from services.events.follower import Follower
from services.events.group_commit import GroupCommit
from services.events.personal_records import PersonalRecords
from tests.made_databases import PostgresDatabases
from tests.made_decisions import decision
from tests.made_events import START_MS, watch
from tests.made_followers import running
from tests.made_servers import PostgresServer, RedisServer, running_postgres, running_redis

TENANT = "default"
NOW_MS = START_MS + DAY_MS
MARKER = "marker-of-nobody-else"
WITHIN_S = 20.0


def until(condition: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(int(WITHIN_S / 0.01)):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("it did not come to be")


def holding(folder: Path, *needles: bytes) -> list[str]:
    """The files below a folder that have one of the needles in them."""
    found = []
    for file in folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            if any(needle in data for needle in needles):
                found.append(str(file.relative_to(folder)))
    return found


def marked(number: int, profile_id: str = MARKER) -> Event:
    context = ViewingContext(time_zone="Europe/Lisbon", geo_cell=f"{MARKER}-cell")
    return replace(
        watch(f"e{profile_id[-1]}{number}", START_MS + number, profile_id=profile_id),
        context=context,
        session_id=f"{MARKER}-session",
    )


def searched() -> Event:
    detail = Search(f"{MARKER}-query", 3)
    return Event("search", MARKER, EventKind.SEARCH, START_MS, detail=detail)


class Suite:
    """A log, its follower and Redis, all with their files."""

    def __init__(self, postgres: PostgresServer, redis_server: RedisServer, folder: Path) -> None:
        self.postgres = postgres
        self.redis = redis_server
        self.secret = folder / "secret.key"

    def store(self) -> PostgresEventStore:
        identities = open_identities(self.postgres.url(), self.secret, may_make=True)
        return PostgresEventStore(self.postgres.url(), identities)

    def eraser(self) -> FeatureEraser:
        return FeatureEraser(open_client(self.redis.url(), timeout_s=5.0))

    @contextmanager
    def following(self) -> Iterator[None]:
        identities = open_identities(self.postgres.url(), self.secret, may_make=True)
        features = open_client(self.redis.url(), timeout_s=5.0)
        follower = Follower(
            self.postgres.url(),
            identities,
            features,
            ttl_ms=DAY_MS,
            most_tenants=2,
            on_behind=lambda seconds: None,
        )
        with running(follower):
            yield

    def has_features(self, profile_id: str = MARKER) -> bool:
        with redis.Redis.from_url(self.redis.url()) as client:
            return bool(client.exists(profile_key(TENANT, profile_id)))


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    with (
        # What is not written in the files cannot be found in them; and no segment of the
        # write-ahead log is kept to be used again with what was in it.
        running_postgres("wal_recycle=off", "min_wal_size=32MB", "wal_keep_size=0") as postgres,
        running_redis("--appendonly", "yes", "--save", "3600 1") as redis_server,
    ):
        yield Suite(postgres, redis_server, tmp_path)


async def test_an_erased_profile_is_in_no_file_of_either_server(suite: Suite) -> None:
    with ExitStack() as held:
        held.enter_context(suite.following())
        store = held.enter_context(closing(suite.store()))
        eraser = held.enter_context(closing(suite.eraser()))
        commits = GroupCommit(store, most_waiting=1_000)
        records = PersonalRecords(store, commits, (FeaturesErasure(store, eraser),), lambda: NOW_MS)
        store.record_events(TENANT, [searched(), *map(marked, range(300))], NOW_MS)
        store.record_events(TENANT, [marked(n, "kept") for n in range(300)], NOW_MS)
        store.upsert_profiles(TENANT, [Profile(MARKER, account_id=f"{MARKER}-account")])
        store.record_decisions(TENANT, [replace(decision(), profile_id=MARKER)], NOW_MS)
        until(lambda: suite.has_features() and suite.has_features("kept"))
        with redis.Redis.from_url(suite.redis.url()) as client:
            client.bgsave()
            until(lambda: not client.info("persistence")["rdb_bgsave_in_progress"])
        with psycopg.connect(suite.postgres.url(), autocommit=True) as admin:
            admin.execute("ANALYZE; CHECKPOINT")
            sealed = [
                bytes(one) for (one,) in admin.execute("SELECT sealed FROM identities").fetchall()
            ]
        # In PostgreSQL nothing tells who it is even before; its key is there, and goes.
        assert holding(suite.postgres.folder, MARKER.encode()) == []
        assert holding(suite.postgres.folder, *sealed)
        assert holding(suite.redis.folder, MARKER.encode())

        erasure = await records.erase(TENANT, MARKER, time_left_s=20)
        assert erasure.is_complete
        assert (erasure.event_count, erasure.decision_count, erasure.had_profile) == (301, 1, True)
        assert [(one.service, one.erased_count > 0) for one in erasure.services] == [
            ("features", True)
        ]
        assert not suite.has_features()
        with redis.Redis.from_url(suite.redis.url()) as client:
            until(
                lambda: (
                    not any(
                        client.info("persistence")[f"{name}_in_progress"]
                        for name in ("aof_rewrite", "rdb_bgsave")
                    )
                    and not holding(suite.redis.folder, MARKER.encode())
                )
            )
        with psycopg.connect(suite.postgres.url(), autocommit=True) as admin:
            left = [
                bytes(one)
                for (one,) in admin.execute(
                    "SELECT sealed FROM identities WHERE sealed IS NOT NULL"
                ).fetchall()
            ]
            # What the key was written with leaves the write-ahead log with its segments.
            admin.execute("SELECT pg_switch_wal()")
            admin.execute("CHECKPOINT")
            admin.execute("SELECT pg_switch_wal()")
            admin.execute("CHECKPOINT")
        assert len(left) == len(sealed) - 1
        gone = [one for one in sealed if one not in left]
        assert holding(suite.postgres.folder, MARKER.encode(), *gone) == []
        assert holding(suite.postgres.folder, *left)

        late = store.record_events(TENANT, [marked(1), marked(900), marked(900, "kept")], NOW_MS)
        assert late.recorded_count == 1
        assert [one.index for one in late.rejections] == [0, 1]
        again = await records.erase(TENANT, MARKER, time_left_s=20)
        assert again == erasure
        assert not suite.has_features()
        assert len(store.history(TENANT, "kept", most=999)) == 301
        await records.close()
        await commits.close()


async def test_an_erasure_waits_for_redis_and_another_replica_ends_it(suite: Suite) -> None:
    with ExitStack() as held:
        store = held.enter_context(closing(suite.store()))
        eraser = held.enter_context(closing(suite.eraser()))
        features = FeaturesErasure(store, eraser)
        commits = GroupCommit(store, most_waiting=1_000)
        records = PersonalRecords(store, commits, (features,), lambda: NOW_MS)
        with suite.following():
            store.record_events(TENANT, [marked(1)], NOW_MS)
            until(suite.has_features)
        erasure = await records.erase(TENANT, MARKER, time_left_s=0.2)
        assert [(one.is_complete, one.problem) for one in erasure.services] == [
            (False, "PART_UNAVAILABLE")
        ]
        assert store.record_events(TENANT, [marked(2)], NOW_MS).rejections
        other = held.enter_context(closing(suite.store()))
        assert other.pending_erasures() == [(TENANT, MARKER)]
        assert other.record_events(TENANT, [marked(3)], NOW_MS).rejections
        await records.close()
        await commits.close()
        commits = GroupCommit(other, most_waiting=1_000)
        records = PersonalRecords(other, commits, (FeaturesErasure(other, eraser),), lambda: NOW_MS)
        with suite.following():
            assert (await records.erase(TENANT, MARKER, time_left_s=20)).is_complete
        assert other.pending_erasures() == []
        assert not suite.has_features()
        await records.close()
        await commits.close()


def test_a_redis_that_comes_back_from_a_copy_holds_nobody_who_was_erased(suite: Suite) -> None:
    with closing(suite.store()) as store:
        with suite.following():
            store.record_events(TENANT, [marked(1), marked(1, "kept")], NOW_MS)
            until(lambda: suite.has_features() and suite.has_features("kept"))
        suite.redis.kill()  # with all that it holds on disk
        store.erase_profile(TENANT, MARKER, (), NOW_MS)
        suite.redis.start()
        assert suite.has_features()
        with suite.following():
            until(lambda: not suite.has_features())
        assert suite.has_features("kept")


def test_a_log_that_comes_back_from_a_backup_holds_nobody_who_was_erased(
    postgres_databases: PostgresDatabases,
) -> None:
    log_url, keys_url = postgres_databases.fresh(), postgres_databases.fresh()

    def opened() -> PostgresEventStore:
        return PostgresEventStore(log_url, postgres_databases.identities(keys_url))

    with closing(opened()) as store, psycopg.connect(log_url) as backup:
        store.record_events(TENANT, [marked(1), marked(1, "kept")], NOW_MS)
        rows = backup.execute("SELECT * FROM events").fetchall()
        store.erase_profile(TENANT, MARKER, (), NOW_MS)
        assert store.scrub()
    with psycopg.connect(log_url) as restored:
        restored.execute("TRUNCATE events, erasures, withdrawn, batches")
        marks = ", ".join(["%s"] * len(rows[0]))
        for row in rows:
            restored.execute(f"INSERT INTO events VALUES ({marks})", row)  # noqa: S608  # marks alone
    with closing(opened()) as store:
        assert store.history(TENANT, MARKER, most=9) == []
        assert len(store.history(TENANT, "kept", most=9)) == 1
        table = store.title_table(TENANT, None, "", now_ms=NOW_MS)
        assert table.counters[0, 3] == pytest.approx(0.5)
        late = store.record_events(TENANT, [marked(2), marked(2, "kept")], NOW_MS)
        assert [one.index for one in late.rejections] == [0]
        assert store.erase_profile(TENANT, MARKER, (), NOW_MS).event_count == 1
    postgres_databases.give_back(log_url)
    postgres_databases.give_back(keys_url)


def test_without_the_secret_nothing_starts(
    postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    url = postgres_databases.fresh()
    with pytest.raises(StartFault, match=r"other\.key is missing"):
        open_identities(url, tmp_path / "other.key", may_make=True)
    (tmp_path / "other.key").write_bytes(bytes(32))
    with pytest.raises(StartFault, match="holds another one"):
        open_identities(url, tmp_path / "other.key", may_make=True)
    with pytest.raises(StartFault, match="nobody can read the log"):
        open_identities(url, tmp_path / "none.key", may_make=False)
    postgres_databases.give_back(url)


def test_a_key_that_an_old_snapshot_sees_is_scrubbed_later(
    postgres_databases: PostgresDatabases,
) -> None:
    url = postgres_databases.fresh()
    with closing(postgres_databases.store(url)) as store:
        store.record_events(TENANT, [marked(1)], NOW_MS)
        with psycopg.connect(url) as looking:
            looking.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            looking.execute("SELECT count(*) FROM events")
            store.erase_profile(TENANT, MARKER, (), NOW_MS)
            assert not store.scrub()
        assert store.scrub()
    postgres_databases.give_back(url)


def test_features_that_cannot_be_asked_are_a_part_that_is_away(
    postgres_databases: PostgresDatabases,
) -> None:
    url = postgres_databases.fresh()
    with (
        closing(postgres_databases.store(url)) as store,
        closing(FeatureEraser(open_client("redis://127.0.0.1:1/0", timeout_s=1.0))) as eraser,
        pytest.raises(PartUnavailable, match="features"),
    ):
        FeaturesErasure(store, eraser)._erase(TENANT, MARKER, 0.1)
    postgres_databases.give_back(url)
