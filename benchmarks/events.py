"""RecordEvents beside a plain executemany into the same tables, and events per fsync."""

import asyncio
import os
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

import grpc.aio
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from cli.suite import Suite, running, target, with_free_ports
from libs.domain.event import Event
from libs.features.event_columns import from_events
from libs.serving.settings import SuiteSettings
from libs.simulation.config import SimulationConfig
from libs.simulation.world import build_world
from libs.storage import event_log
from libs.storage.event_schema import EVENT_SCHEMA
from libs.storage.feature_tables import FeatureTables
from libs.storage.sqlite import Writer, open_writer, transaction
from reprise.events.v1 import events_pb2
from services.events.events_codec import event_messages

TENANT: Final = "default"
EVENTS: Final = 40_000
BATCHES: Final = (100, 1_000)
# Batches on their way at once, as of so many back ends of an app.
IN_FLIGHT: Final = (1, 8)
ROUNDS: Final = 3
CALLERS: Final = 64
SINGLES_S: Final = 5.0
GOAL_SHARE: Final = 0.5
GOAL_PER_FSYNC: Final = 8.0
RECORD_EVENTS: Final = "/reprise.events.v1.EventsService/RecordEvents"


def run() -> dict[str, Any]:
    """Measure both, turn about; returns the figures that it prints."""
    events = _events()
    with _folder() as folder:
        fsync_ms = _fsync_ms(folder)
        batches = [row for size in BATCHES for row in _batch(folder / str(size), events, size)]
        singles = _singles(folder / "singles", events)
    figures = {
        "machine": machine(),
        "events": len(events),
        "rounds": ROUNDS,
        "fsync_ms": fsync_ms,
        "batches": batches,
        "singles": singles,
        "goal_share": GOAL_SHARE,
        "goal_events_per_fsync": GOAL_PER_FSYNC,
    }
    _show(figures)
    return figures


def _events() -> list[Event]:
    """Simulated events of many profiles, in the order in which they happened."""
    config = SimulationConfig(
        seed=7, until_ms=time.time_ns() // 1_000_000, profile_count=400, title_count=600
    )
    events = [event for history in build_world(config).histories() for event in history.events]
    return sorted(events, key=lambda event: event.order)[-EVENTS:]


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder beside the suite's own state: what is measured is that disk."""
    home = SuiteSettings().home
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _fsync_ms(folder: Path) -> dict[str, float]:
    """What it takes to append 4 KiB and have them on disk, n = 300."""
    times = np.empty(300)
    with (folder / "fsync").open("wb", buffering=0) as file:
        for place in range(len(times)):
            file.write(b"x" * 4_096)
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            times[place] = time.perf_counter() - started
    p50, p99 = np.percentile(times * 1000, [50, 99])
    return {"p50": float(p50), "p99": float(p99)}


def _batch(folder: Path, events: Sequence[Event], size: int) -> list[dict[str, Any]]:
    """Events a second of both ways, in batches of `size`: a row for each of IN_FLIGHT."""
    batches = [events[at : at + size] for at in range(0, len(events), size)]
    statements = [_statements(batch) for batch in _Plain.of(folder / "rows", batches)]
    plain: list[float] = []
    served: dict[int, list[tuple[float, float]]] = {at_once: [] for at_once in IN_FLIGHT}
    for number in range(ROUNDS):
        plain.append(len(events) / _plain_s(folder / f"plain{number}", statements))
        for at_once, figures in served.items():
            home = folder / f"served{number}-{at_once}"
            elapsed_s, cpu_s = _served_s(home, batches, at_once)
            figures.append((len(events) / elapsed_s, cpu_s / len(events) * 1e6))
    return [
        {
            "size": size,
            "in_flight": at_once,
            "plain_per_s": float(np.median(plain)),
            "served_per_s": float(np.median([rate for rate, _ in figures])),
            # Of one round each: what else the machine does is then the same for both.
            "share": float(np.median([r / p for (r, _), p in zip(figures, plain, strict=True)])),
            "served_cpu_us_an_event": float(np.median([cpu for _, cpu in figures])),
        }
        for at_once, figures in served.items()
    ]


@dataclass(slots=True)
class _Plain:
    """A connection that notes what is written with executemany, and does it."""

    connection: Any
    written: list[tuple[str, list[Any]]] = field(default_factory=list)

    def execute(self, *arguments: Any) -> Any:
        """Do it."""
        return self.connection.execute(*arguments)

    def executemany(self, sql: str, rows: Iterable[Any]) -> Any:
        """Note the rows, and do it."""
        self.written.append((sql, list(rows)))
        return self.connection.executemany(*self.written[-1])

    @staticmethod
    def of(path: Path, batches: Iterable[Sequence[Event]]) -> Iterator["_Plain"]:
        """What the service writes for each batch, were it committed alone."""
        with closing(_writer(path)) as writer:
            plain = _Plain(writer.connection)
            features = FeatureTables(cast("Any", plain), most_tenants=1)
            for batch in batches:
                plain.written = []
                with transaction(writer.connection):
                    event_log.append(cast("Any", plain), TENANT, batch, {}, 0)
                    features.apply(TENANT, batch, from_events(batch))
                yield plain


def _statements(plain: _Plain) -> list[tuple[str, list[Any]]]:
    return plain.written


def _writer(path: Path) -> Writer:
    return open_writer(path / "events.sqlite", EVENT_SCHEMA)


def _plain_s(path: Path, statements: Sequence[list[tuple[str, list[Any]]]]) -> float:
    """One process that has every row ready, and a commit for each batch."""
    with closing(_writer(path)) as writer:
        started = time.perf_counter()
        for batch in statements:
            with transaction(writer.connection):
                for sql, rows in batch:
                    writer.connection.executemany(sql, rows)
        return time.perf_counter() - started


def _served_s(home: Path, batches: Sequence[Sequence[Event]], at_once: int) -> tuple[float, float]:
    """Through the contract: seconds that passed, and CPU seconds of the service."""
    requests = [
        events_pb2.RecordEventsRequest(events=event_messages(batch)).SerializeToString()
        for batch in batches
    ]
    with _serving(home) as suite:
        process = psutil.Process(suite.process("events").pid)
        before = _cpu_s(process)
        elapsed_s = asyncio.run(_send_all(target(suite.settings, "events"), requests, at_once))
        return elapsed_s, _cpu_s(process) - before


@contextmanager
def _serving(home: Path) -> Iterator[Suite]:
    settings = with_free_ports(SuiteSettings(home=home))
    with running(settings, names=("events",)) as suite:
        yield suite


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _send_all(where: str, requests: Sequence[bytes], at_once: int) -> float:
    """All requests, `at_once` of them at a time; bytes in, bytes out."""
    waiting = iter(requests)
    async with grpc.aio.insecure_channel(where) as channel:
        call: Any = channel.unary_unary(RECORD_EVENTS)
        await channel.channel_ready()

        async def caller() -> None:
            for request in waiting:
                answer = events_pb2.RecordEventsResponse.FromString(await call(request, timeout=60))
                assert answer.recorded_count, "nothing but new events is sent"

        started = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(at_once)))
        return time.perf_counter() - started


def _singles(home: Path, events: Sequence[Event]) -> dict[str, Any]:
    """CALLERS that each send one event, wait until it is durable, and send the next."""
    with _serving(home) as suite:
        where = target(suite.settings, "events")
        latencies_ms = asyncio.run(_call_singly(where, event_messages(events)))
        commits, calls = _commits(suite.settings)
    assert calls == len(latencies_ms)
    p50, p99 = np.percentile(latencies_ms, [50, 99])
    return {
        "callers": CALLERS,
        "events_per_s": len(latencies_ms) / SINGLES_S,
        "events_per_fsync": calls / commits,
        "p50_ms": float(p50),
        "p99_ms": float(p99),
    }


async def _call_singly(where: str, messages: Sequence[events_pb2.Event]) -> list[float]:
    latencies_ms: list[float] = []
    places = count()
    async with grpc.aio.insecure_channel(where) as channel:
        call: Any = channel.unary_unary(RECORD_EVENTS)
        await channel.channel_ready()
        end = time.perf_counter() + SINGLES_S

        async def caller() -> None:
            while time.perf_counter() < end:
                place = next(places)
                event = messages[place % len(messages)]
                event.event_id = str(place)
                request = events_pb2.RecordEventsRequest(events=[event]).SerializeToString()
                started = time.perf_counter()
                await call(request, timeout=60)
                latencies_ms.append((time.perf_counter() - started) * 1000)

        await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return latencies_ms


def _commits(settings: SuiteSettings) -> tuple[int, int]:
    """How many commits there were, each with its fsync, and how many calls they held."""
    url = f"http://{settings.host}:{settings.events_metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if line.startswith("reprise_commit_calls"))
    return (
        int(float(values["reprise_commit_calls_count"])),
        int(float(values["reprise_commit_calls_sum"])),
    )


def _show(figures: dict[str, Any]) -> None:
    table = Table(title=f"RecordEvents, {figures['events']:,} events, median of {ROUNDS} rounds")
    for column in (
        "batch",
        "at once",
        "plain executemany /s",
        "RecordEvents /s",
        "share",
        "CPU µs an event",
    ):
        table.add_column(column, justify="right")
    for row in figures["batches"]:
        table.add_row(
            f"{row['size']:,}",
            str(row["in_flight"]),
            f"{row['plain_per_s']:,.0f}",
            f"{row['served_per_s']:,.0f}",
            f"{row['share']:.2f}",
            f"{row['served_cpu_us_an_event']:.1f}",
        )
    singles, fsync = figures["singles"], figures["fsync_ms"]
    console = Console()
    console.print(table)
    console.print(f"goal: a share of {GOAL_SHARE} and more")
    console.print(
        f"{CALLERS} callers of one event: {singles['events_per_s']:,.0f} a second,"
        f" {singles['events_per_fsync']:.1f} per fsync (goal {GOAL_PER_FSYNC:.0f}),"
        f" p50 {singles['p50_ms']:.1f} ms, p99 {singles['p99_ms']:.1f} ms"
    )
    console.print(f"fsync of 4 KiB: p50 {fsync['p50']:.2f} ms, p99 {fsync['p99']:.2f} ms")
    console.print(f"[dim]{figures['machine']}[/]")
