"""The follower as a process: it is started again where it ends, and ends with its parent."""

import os
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import redis

from libs.storage.redis.keys import profile_key
from services.events.follower_process import FollowerProcess
from services.events.following import telling
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, watch
from tests.made_followers import running

WITHIN_S = 20.0

# Tells its number of seconds once and then waits to be ended, or ends.
TELLS = "import os, sys, time; os.write(int(sys.argv[-1]), b'{}\\n'); {}"


def test_what_it_tells_is_told_and_it_is_ended() -> None:
    told: list[float] = []
    has_told = threading.Event()

    def on_behind(seconds: float) -> None:
        told.append(seconds)
        has_told.set()

    command = (sys.executable, "-c", TELLS.format("1.5", "time.sleep(60)"))
    with running(FollowerProcess(on_behind, command)):
        assert has_told.wait(WITHIN_S)
    assert told == [1.5]


def test_one_that_ends_is_started_again() -> None:
    starts = threading.Semaphore(0)
    command = (sys.executable, "-c", TELLS.format("0.0", "sys.exit(3)"))
    with running(FollowerProcess(lambda seconds: starts.release(), command)):
        for _ in range(2):
            assert starts.acquire(timeout=WITHIN_S)


def test_it_stops_when_nobody_reads_what_it_tells() -> None:
    reading, writing = os.pipe()
    stopped = threading.Event()
    tell = telling(writing, stopped.set)
    tell(2.0)
    assert os.read(reading, 9) == b"2.0\n"
    tell(3.0)  # too soon to be told
    assert not stopped.is_set()
    os.close(reading)
    telling(writing, stopped.set)(4.0)
    assert stopped.is_set()
    os.close(writing)


def test_it_keeps_the_features_up_to_the_log(
    postgres_databases: PostgresDatabases,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log_url = postgres_databases.fresh()
    for name, value in (
        ("HOME", str(tmp_path)),
        ("EVENTS_URL", log_url),
        ("FEATURES_URL", redis_url),
        ("SECRET_FILE", str(postgres_databases.secret)),
    ):
        monkeypatch.setenv(f"REPRISE_{name}", value)
    key = profile_key("default", "profile0")
    with (
        closing(postgres_databases.store(log_url)) as store,
        redis.Redis.from_url(redis_url) as client,
        running(FollowerProcess(lambda seconds: None)),
    ):
        store.record_events("default", [watch("a", START_MS)], START_MS)
        until = time.monotonic() + WITHIN_S
        while not client.exists(key):
            assert time.monotonic() < until
    postgres_databases.give_back(log_url)
