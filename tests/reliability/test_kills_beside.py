"""The events service is killed while it compacts and erases, beside those who write."""

import itertools
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import grpc
import numpy as np
import pytest

from cli.suite import running, target, with_free_ports
from libs.domain.event import Event
from libs.serving.settings import SuiteSettings
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from reprise.events.v1 import events_pb2, events_pb2_grpc
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

pytestmark = pytest.mark.end_to_end

SEED = 20_261_123
OLD = 40_000
LARGE = "large-profile"
WITHIN_S = 60.0


def assert_holds(path: Path, events: list[Event]) -> None:
    """The file holds these events once each, and what they have made, compacted or not."""
    held = MemoryEventStore()
    held.record_events(TENANT, events, END_MS)
    with closing(SqliteEventStore(path)) as store:
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


def test_compaction_beside_an_ingest_survives_kills(tmp_path: Path, kill_count: int) -> None:
    settings = with_free_ports(SuiteSettings(home=tmp_path, retention_days=30))
    old = list(itertools.islice(made_events(7, "old"), OLD))
    with closing(SqliteEventStore(settings.events_path)) as store:
        store.record_events(TENANT, old, END_MS)
    # Whatever is sent is older than the setting: each start compacts what came since the last.
    lefts: list[int] = []

    def note() -> None:
        lefts.append(
            count_of(settings.events_path, "events", "event_id LIKE 'old%' AND kind <> 10")
        )

    note()
    _, sent = kill_during_ingest(settings, kills=kill_count, seed=SEED, on_kill=note)
    assert any(lefts[0] > left > 0 for left in lefts), "no kill came while events were compacted"
    assert_holds(settings.events_path, [*old, *sent])


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
    assert_holds(settings.events_path, sent)


def count_of(path: Path, table: str, condition: str) -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute(
            f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608  constants
        ).fetchone()
    return int(count)
