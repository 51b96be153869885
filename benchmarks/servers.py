"""Past one machine: ingest beside COPY, how soon it is felt, and what a read of Redis costs."""

import asyncio
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import grpc
import numpy as np
import psycopg
from numpy.typing import NDArray
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from cli.suite import Suite, running, target, with_free_ports
from libs.domain.event import Event
from libs.faults import PartUnavailable
from libs.serving.settings import SuiteSettings
from libs.storage.event_row import Row
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.identities import open_identities
from libs.storage.postgres.log_row import encode_row
from libs.storage.postgres.log_tables import COPY
from libs.storage.redis.client import open_async_client
from libs.storage.redis.feature_reader import RedisProfiles
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import event_messages
from services.events.settings import FollowerPlace
from tests.made_events import START_MS, watch
from tests.made_log import made_event
from tests.made_servers import PostgresServer, RedisServer, running_postgres, running_redis

TENANT: Final = "default"
EVENTS: Final = 60_000
BATCHES: Final = (100, 1_000, 5_000)
CALLERS: Final = 4
ROUNDS: Final = 3
LOAD_RATE: Final = 3_000
LOAD_BATCH: Final = 100
LOOKS: Final = 500
READS: Final = 2_000
TITLES_OF_A_PROFILE: Final = 100


def run() -> dict[str, Any]:
    """Measure on servers of its own; returns the figures that it prints."""
    rng = Random(3)
    events = [made_event(place, rng) for place in range(EVENTS)]
    with running_postgres() as postgres, running_redis() as redis:
        figures: dict[str, Any] = {"machine": machine(), "events": EVENTS}
        with tempfile.TemporaryDirectory() as folder:
            secret = Path(folder) / "bench.key"
            figures["ingest"] = [_ingest(postgres, events, size, secret) for size in BATCHES]
            settings = SuiteSettings(
                home=Path(folder),
                events_url=SecretStr(postgres.url()),
                features_url=SecretStr(redis.url()),
            )
            with running(with_free_ports(settings), names=("events",)) as suite:
                figures["felt_ms"] = asyncio.run(_felt_ms(suite, redis.url()))
                with _load(suite, events) as rate:
                    figures["felt_at_load_ms"] = asyncio.run(
                        _felt_ms(suite, redis.url(), name="loaded")
                    )
                figures["load"] = rate()
                figures["read_ms"] = asyncio.run(_read_ms(suite, redis.url()))
            figures["served"] = _served_of_copy(postgres, redis, Path(folder), events)
    _show(figures)
    return figures


def _store(url: str, secret: Path) -> PostgresEventStore:
    return PostgresEventStore(url, open_identities(url, secret, may_make=True))


def _rows(url: str, events: Sequence[Event], secret: Path, now_ms: int) -> list[Row]:
    """What COPY writes of the events, sealed."""
    with closing(open_identities(url, secret, may_make=True)) as identities:
        known = identities.made(TENANT, {event.profile_id for event in events})
    return [
        (TENANT, 1, *encode_row(event, None, now_ms, known[event.profile_id])) for event in events
    ]


def _ingest(
    postgres: PostgresServer, events: Sequence[Event], size: int, secret: Path
) -> dict[str, float]:
    """Events a second: the store, and COPY of ready rows into a log of the same indexes."""
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        for name in ("stored", "copied"):
            admin.execute(f"DROP DATABASE IF EXISTS {name}")
            admin.execute(f"CREATE DATABASE {name}")
    now_ms = max(event.occurred_ms for event in events)
    rows = _rows(postgres.url("copied"), events, secret, now_ms)
    with closing(_store(postgres.url("copied"), secret)) as warm:
        # Its partitions are made, as those of the other log are in the measured time.
        warm.record_events(TENANT, events, now_ms)
    copied_s = stored_s = 0.0
    with (
        closing(_store(postgres.url("stored"), secret)) as store,
        psycopg.connect(postgres.url("copied"), autocommit=True) as connection,
    ):
        connection.execute("TRUNCATE events, event_ids, batches")
        # In turns, so that whatever else the machine does slows both.
        for start in range(0, len(events), size):
            begun = time.perf_counter()
            with (
                connection.transaction(),
                connection.cursor() as cursor,
                cursor.copy(COPY) as copy,
            ):
                for row in rows[start : start + size]:
                    copy.write_row(row)
            copied = time.perf_counter()
            store.record_events(TENANT, events[start : start + size], now_ms)
            copied_s += copied - begun
            stored_s += time.perf_counter() - copied
    return {
        "batch": size,
        "copy": len(events) / copied_s,
        "store": len(events) / stored_s,
        "ratio": copied_s / stored_s,
    }


def _served_of_copy(
    postgres: PostgresServer, redis: RedisServer, folder: Path, events: Sequence[Event]
) -> dict[str, dict[str, float]]:
    """What is served of COPY where the log is followed here or there; medians of runs in turns."""
    rows = _rows(postgres.url("copied"), events, folder / "bench.key", START_MS)
    found: dict[str, list[tuple[float, float]]] = {place.value: [] for place in FollowerPlace}
    for number in range(ROUNDS):
        for place, measured in found.items():
            name = f"served_{place}_{number}"
            with psycopg.connect(postgres.url(), autocommit=True) as admin:
                admin.execute(f"CREATE DATABASE {name}")
            settings = SuiteSettings(
                home=folder / name,
                events_url=SecretStr(postgres.url(name)),
                features_url=SecretStr(redis.url(1)),
            )
            os.environ["REPRISE_FOLLOWER"] = place  # of the process that is started
            with running(with_free_ports(settings), names=("events",)) as suite:
                copied = _copied(postgres.url("copied"), rows, 1_000)
                measured.append((_served(suite, events, 1_000), copied))
    return {
        place: {
            "served": statistics.median(served for served, _ in measured),
            "ratio": statistics.median(served / copied for served, copied in measured),
        }
        for place, measured in found.items()
    }


def _copied(url: str, rows: Sequence[Row], size: int) -> float:
    """Events a second by COPY into the empty log."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE events, event_ids, batches")
        begun = time.perf_counter()
        for start in range(0, len(rows), size):
            with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                for row in rows[start : start + size]:
                    copy.write_row(row)
        return len(rows) / (time.perf_counter() - begun)


@contextmanager
def _load(suite: Suite, events: Sequence[Event]) -> Iterator[Callable[[], float]]:
    """Batches of 100 by the clock, LOAD_RATE events a second; then how many there were."""
    is_over = threading.Event()
    spent: list[float] = []

    def send() -> None:
        with grpc.insecure_channel(target(suite.settings, "events")) as channel:
            stub = events_pb2_grpc.EventsServiceStub(channel)
            begun = time.perf_counter()
            for start in range(0, len(events), LOAD_BATCH):
                if is_over.wait(begun + start / LOAD_RATE - time.perf_counter()):
                    break
                batch = event_messages(events[start : start + LOAD_BATCH])
                stub.RecordEvents(events_pb2.RecordEventsRequest(events=batch), timeout=60)
            spent.append((start + LOAD_BATCH) / (time.perf_counter() - begun))

    thread = threading.Thread(target=send)
    thread.start()
    yield lambda: spent[0]
    is_over.set()
    thread.join()


def _served(suite: Suite, events: Sequence[Event], size: int) -> float:
    """Events a second through RecordEvents, by CALLERS at once, features followed beside."""
    requests = [
        events_pb2.RecordEventsRequest(events=event_messages(events[start : start + size]))
        for start in range(0, len(events), size)
    ]

    def call(some: Sequence[events_pb2.RecordEventsRequest]) -> None:
        with grpc.insecure_channel(target(suite.settings, "events")) as channel:
            stub = events_pb2_grpc.EventsServiceStub(channel)
            for request in some:
                stub.RecordEvents(request, timeout=60)

    threads = [
        threading.Thread(target=call, args=(requests[place::CALLERS],)) for place in range(CALLERS)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(events) / (time.perf_counter() - begun)


async def _felt_ms(suite: Suite, redis_url: str, *, name: str = "felt") -> dict[str, float]:
    """From the acknowledgement of one event until its profile's features have it."""
    profiles = RedisProfiles(open_async_client(redis_url))
    spent = np.empty(LOOKS)
    rng = Random(5)
    async with grpc.aio.insecure_channel(target(suite.settings, "events")) as channel:
        stub = events_pb2_grpc.EventsServiceStub(channel)
        await _wait_until_filled(profiles)
        for place in range(LOOKS):
            event = watch(f"{name}{place}", START_MS + place, profile_id=f"{name}{place % 50}")
            request = events_pb2.RecordEventsRequest(events=event_messages([event]))
            await stub.RecordEvents(request, timeout=5)
            begun = time.perf_counter()
            while True:
                found = await profiles.profile(TENANT, event.profile_id, timeout_s=5.0)
                if found is not None and found[1].newest_ms >= event.occurred_ms:
                    break
            spent[place] = (time.perf_counter() - begun) * 1000
            await asyncio.sleep(rng.uniform(0, 0.02))
    await profiles.close()
    return _percentiles(spent)


async def _wait_until_filled(profiles: RedisProfiles) -> None:
    while True:
        try:
            await profiles.profile(TENANT, "nobody", timeout_s=5.0)
        except PartUnavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def _read_ms(suite: Suite, redis_url: str) -> dict[str, float]:
    """One profile with its features, decoded, one read at a time."""
    watched = [
        watch(f"read{place}", START_MS + place, profile_id="reader", title_id=f"title{place}")
        for place in range(TITLES_OF_A_PROFILE)
    ]
    profiles = RedisProfiles(open_async_client(redis_url))
    async with grpc.aio.insecure_channel(target(suite.settings, "events")) as channel:
        request = events_pb2.RecordEventsRequest(events=event_messages(watched))
        await events_pb2_grpc.EventsServiceStub(channel).RecordEvents(request, timeout=60)
    while True:
        found = await profiles.profile(TENANT, "reader", timeout_s=5.0)
        if found is not None and len(found[1].title_ids) == TITLES_OF_A_PROFILE:
            break
        await asyncio.sleep(0.05)
    spent = np.empty(READS)
    for place in range(READS):
        begun = time.perf_counter()
        await profiles.profile(TENANT, "reader", timeout_s=5.0)
        spent[place] = (time.perf_counter() - begun) * 1000
    await profiles.close()
    return _percentiles(spent)


def _percentiles(spent: NDArray[np.float64]) -> dict[str, float]:
    p50, p99 = np.percentile(spent, [50, 99])
    return {"p50": float(p50), "p99": float(p99), "n": len(spent)}


def _show(figures: dict[str, Any]) -> None:
    table = Table(title=f"PostgreSQL, {EVENTS:,} events, events a second")
    for column in ("batch", "COPY", "store", "of COPY"):
        table.add_column(column, justify="right")
    for row in figures["ingest"]:
        table.add_row(
            f"{row['batch']:,}",
            f"{row['copy']:,.0f}",
            f"{row['store']:,.0f}",
            f"{row['ratio']:.2f}",
        )
    console = Console()
    console.print(table)
    for place, served in figures["served"].items():
        console.print(
            f"RecordEvents, {CALLERS} callers of 1,000, features followed in a {place}:"
            f" {served['served']:,.0f} events a second, {served['ratio']:.2f} of COPY"
            f" (medians of {ROUNDS})"
        )
    read = figures["read_ms"]
    at_load = f"beside {figures['load']:,.0f} events a second"
    for name, when in (("felt_ms", "one at a time"), ("felt_at_load_ms", at_load)):
        felt = figures[name]
        console.print(
            f"acknowledged → in Redis: p50 {felt['p50']:.1f}, p99 {felt['p99']:.1f} ms"
            f" (n = {felt['n']}, {when})"
        )
    console.print(
        f"a profile of {TITLES_OF_A_PROFILE} titles read from Redis: p50 {read['p50']:.2f},"
        f" p99 {read['p99']:.2f} ms (n = {read['n']:,})"
    )
    console.print(f"[dim]{figures['machine']}[/]")
