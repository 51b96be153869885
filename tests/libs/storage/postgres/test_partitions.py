"""Partitions of the log by time."""

import threading
from datetime import UTC, datetime

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS
from libs.storage.postgres.partitions import partition_of
from tests.made_databases import PostgresDatabases
from tests.made_events import watch

FAR_MS = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp()) * 1000


@given(st.integers(0, FAR_MS))
def test_partitions_meet_and_hold_whole_days(occurred_ms: int) -> None:
    partition = partition_of(occurred_ms)
    assert partition.from_ms <= occurred_ms < partition.until_ms
    assert partition_of(partition.from_ms) == partition_of(partition.until_ms - 1) == partition
    assert partition_of(partition.until_ms).from_ms == partition.until_ms
    assert partition.from_ms % DAY_MS == partition.until_ms % DAY_MS == 0


def test_old_years_are_one_and_new_months_each() -> None:
    assert partition_of(0).name == "events_1970"
    assert partition_of(1_700_000_000_000).name == "events_2023"
    assert partition_of(1_790_000_000_000).name == "events_2026_09"


def test_two_writers_make_the_same_partitions_at_once(
    postgres_databases: PostgresDatabases,
) -> None:
    url = postgres_databases.fresh()
    months = [1_760_000_000_000 + month * 31 * DAY_MS for month in range(12)]
    barrier = threading.Barrier(2)
    counts: list[int] = []

    def write(name: str) -> None:
        store = postgres_databases.store(url)
        barrier.wait()
        for occurred_ms in [0, *months]:
            event = watch(f"{name}{occurred_ms}", occurred_ms)
            counts.append(store.record_events("default", [event], months[-1]).recorded_count)
        store.close()

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1] * 26
    with psycopg.connect(url) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM events").fetchall()
    assert count == 26
