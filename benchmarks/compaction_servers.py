"""Compaction in PostgreSQL: what a step costs, what is left, and who waits beside it."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
import psutil
import psycopg
from psycopg import sql
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from cli.suite import running, target, with_free_ports
from libs.domain.event import DAY_MS, Event
from libs.features.profile_state import in_order
from libs.serving.settings import SuiteSettings
from libs.simulation.config import SimulationConfig
from libs.simulation.world import build_world
from libs.storage.compaction import FIRST, Place
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.identities import open_identities
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import event_messages
from tests.made_events import watch
from tests.made_servers import PostgresServer, RedisServer, running_postgres, running_redis

TENANT: Final = "default"
PROFILES: Final = 200
KEPT_DAYS: Final = 7
SIMULATED_MS: Final = 20_000 * DAY_MS
UNTIL_MS: Final = SIMULATED_MS - KEPT_DAYS * DAY_MS
MOST_S: Final = 400.0
# The log, its ids, and what is kept of it.
_LOG: Final = (
    "event_ids",
    "title_bases",
    "title_shares",
    "compacted_ids",
    "profile_days",
    "profile_bases",
)


def run() -> dict[str, Any]:
    """Measure on servers of its own; returns the figures that it prints.

    The reference is of the same run: deleting as many rows, and keeping nothing of them.
    """
    events = _events()
    figures: dict[str, Any] = {"machine": machine(), "events": len(events)}
    with (
        running_postgres() as postgres,
        running_redis() as redis,
        tempfile.TemporaryDirectory() as folder,
    ):
        figures |= _steps(postgres, Path(folder), events)
        figures |= _beside(postgres, redis, Path(folder), events)
    _show(figures)
    return figures


def _events() -> list[Event]:
    """Those of some simulated viewers, in the order in which they happened."""
    config = SimulationConfig(until_ms=SIMULATED_MS, profile_count=PROFILES, title_count=600)
    some = [event for history in build_world(config).histories() for event in history.events]
    return sorted(some, key=in_order)


def _fill(url: str, secret: Path, events: Sequence[Event]) -> None:
    with closing(_store(url, secret)) as store:
        for start in range(0, len(events), 5_000):
            store.record_events(TENANT, events[start : start + 5_000], SIMULATED_MS)


def _store(url: str, secret: Path) -> PostgresEventStore:
    return PostgresEventStore(url, open_identities(url, secret, may_make=True))


def _steps(postgres: PostgresServer, folder: Path, events: Sequence[Event]) -> dict[str, Any]:
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE compacted")
        _fill(postgres.url("compacted"), folder / "bench.key", events)
        admin.execute("CREATE DATABASE deleted TEMPLATE compacted")
    server = psutil.Process(postgres.process_id)
    with psycopg.connect(postgres.url("compacted"), autocommit=True) as admin:
        before = _bytes(admin)
        with closing(_store(postgres.url("compacted"), folder / "bench.key")) as store:
            steps_s: list[float] = []
            compacted = 0
            own_s, server_s = time.process_time(), _cpu_s(server)
            begun = time.perf_counter()
            place: Place | None = FIRST
            while place is not None:
                step_s = time.perf_counter()
                done = store.compact(UNTIL_MS, place)
                steps_s.append(time.perf_counter() - step_s)
                compacted, place = compacted + done.event_count, done.after
            spent_s = time.perf_counter() - begun
            own_s, server_s = time.process_time() - own_s, _cpu_s(server) - server_s
        left = _bytes(admin)
    with psycopg.connect(postgres.url("deleted"), autocommit=True) as admin:
        begun = time.perf_counter()
        admin.execute("DELETE FROM events WHERE occurred_ms <= %s AND kind <> 10", (UNTIL_MS,))
        deleted_s = time.perf_counter() - begun
    return {
        "compacted": compacted,
        "events_a_second": compacted / spent_s,
        "events_a_cpu_second": compacted / (own_s + server_s),
        "own_cpu_s": own_s,
        "server_cpu_s": server_s,
        "deleted_a_second": compacted / deleted_s,
        "step_p50_ms": float(np.percentile(steps_s, 50)) * 1e3,
        "step_p99_ms": float(np.percentile(steps_s, 99)) * 1e3,
        "steps": len(steps_s),
        "bytes_before": before,
        "bytes_after": left,
    }


def _cpu_s(server: psutil.Process) -> float:
    """CPU seconds of the server and of its sessions that are over or there."""
    times = [server.cpu_times(), *(child.cpu_times() for child in server.children())]
    own = sum(one.user + one.system for one in times)
    return float(own + times[0].children_user + times[0].children_system)


def _bytes(connection: "psycopg.Connection[tuple[Any, ...]]") -> int:
    """What the log takes when no space in it is free."""
    partitions = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass"
    ).fetchall()
    size = 0
    for name in [*_LOG, *(one for (one,) in partitions)]:
        connection.execute(sql.SQL("VACUUM (FULL) {}").format(sql.Identifier(name)))
        [(own,)] = connection.execute("SELECT pg_total_relation_size(%s)", (name,)).fetchall()
        size += int(own)
    return size


def _beside(
    postgres: PostgresServer, redis: RedisServer, folder: Path, events: Sequence[Event]
) -> dict[str, Any]:
    """How long single events take to be recorded while the service compacts a full log."""
    settings = with_free_ports(
        SuiteSettings(
            home=folder,
            retention_days=KEPT_DAYS,
            events_url=SecretStr(postgres.url()),
            features_url=SecretStr(redis.url()),
        )
    )
    _fill(postgres.url(), settings.secret_file, events)
    now_ms = time.time_ns() // 1_000_000
    with closing(_store(postgres.url(), settings.secret_file)) as store:
        # Or nothing would be old by the clock.
        store.record_events(
            "clock", [watch("yesterday", now_ms - DAY_MS), watch("today", now_ms)], now_ms
        )
    spent_ms: list[float] = []
    with (
        running(settings, names=("events",)) as suite,
        grpc.insecure_channel(target(suite.settings, "events")) as channel,
    ):
        stub = events_pb2_grpc.EventsServiceStub(channel)
        begun = time.perf_counter()
        while _old(postgres.url()) and time.perf_counter() - begun < MOST_S:
            for event in _some(now_ms, len(spent_ms)):
                request = events_pb2.RecordEventsRequest(events=event_messages([event]))
                sent = time.perf_counter()
                stub.RecordEvents(request, timeout=30, wait_for_ready=True)
                spent_ms.append((time.perf_counter() - sent) * 1e3)
        whole_s = time.perf_counter() - begun
    return {
        "beside_count": len(spent_ms),
        "beside_p50_ms": float(np.percentile(spent_ms, 50)),
        "beside_p99_ms": float(np.percentile(spent_ms, 99)),
        "beside_s": whole_s,
        "beside_left": _old(postgres.url()),
    }


def _some(now_ms: int, first: int) -> Iterator[Event]:
    for place, number in zip(range(100), count(first), strict=False):
        yield watch(f"new{number}", now_ms + number, profile_id=f"profile{place % 12}")


def _old(url: str) -> int:
    with psycopg.connect(url) as connection:
        [(left,)] = connection.execute(
            "SELECT count(*) FROM events WHERE occurred_ms <= %s AND kind <> 10", (UNTIL_MS,)
        ).fetchall()
    return int(left)


def _show(figures: dict[str, Any]) -> None:
    table = Table("", "", title=f"{figures['compacted']:,} of {figures['events']:,} compacted")
    table.add_row("events a second", f"{figures['events_a_second']:,.0f}")
    table.add_row(
        "events a CPU second, the server's included", f"{figures['events_a_cpu_second']:,.0f}"
    )
    table.add_row("rows deleted a second, nothing kept", f"{figures['deleted_a_second']:,.0f}")
    table.add_row(
        "a step, p50 and p99", f"{figures['step_p50_ms']:.0f}, {figures['step_p99_ms']:.0f} ms"
    )
    table.add_row(
        "MB of the log before and after",
        f"{figures['bytes_before'] / 1e6:,.1f}, {figures['bytes_after'] / 1e6:,.1f}",
    )
    table.add_row(
        f"{figures['beside_count']:,} single events beside the service's, p50 and p99",
        f"{figures['beside_p50_ms']:.0f}, {figures['beside_p99_ms']:.0f} ms",
    )
    console = Console()
    console.print(table)
    console.print(f"[dim]{figures['steps']:,} steps; {figures['machine']}[/]")
