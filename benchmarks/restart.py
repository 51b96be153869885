"""Each service restarted under load: calls that failed, attempts that it took, the longest wait.

Callers use the shipped service config. Ranking is two replicas that are restarted one after the
other; events and candidates are one process each, whose callers wait for it to come back. Works
on a copy of the data and bundle in var/.
"""

import asyncio
import contextlib
import shutil
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from cli.suite import Suite, target, with_free_ports
from libs.faults import Fault
from libs.serving.channels import call, open_channel
from libs.serving.settings import SuiteSettings
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc

CALLERS: Final = 8
AROUND_S: Final = 2.0  # under load before the first restart and after the last
DEADLINE_S: Final = 15.0
READY_S: Final = 60.0

Ask = Callable[[int], Awaitable[object]]


@dataclass
class Tally:
    """What became of the calls of one load."""

    waits_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run() -> dict[str, Any]:
    """Restart every service once; returns the figures that it prints."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(SuiteSettings().home, home)
        settings = with_free_ports(SuiteSettings(home=home))
        suite, second = Suite(settings), _second_ranking(settings)
        try:
            suite.start()
            second.start()
            suite.wait_ready()
            second.wait_ready()
            rows = asyncio.run(_measure(suite, second))
        finally:
            second.stop()
            suite.stop()
    figures = {"machine": machine(), "callers": CALLERS, "restarts": rows}
    _show(figures)
    return figures


def _second_ranking(settings: SuiteSettings) -> Suite:
    """Ranking once more, on ports of its own."""
    own = {
        key: value
        for key, value in with_free_ports(settings).model_dump().items()
        if key.startswith("ranking_") and key.endswith(("_port", "_target"))
    }
    return Suite(settings.model_copy(update=own), names=("ranking",))


async def _measure(suite: Suite, second: Suite) -> list[dict[str, Any]]:
    both = ",".join(target(one.settings, "ranking") for one in (suite, second))
    rows = []
    for name, where, ask_of, replicas in (
        ("ranking", f"ipv4:{both}", _recommending, (suite, second)),
        ("candidates", target(suite.settings, "candidates"), _retrieving, (suite,)),
        ("events", target(suite.settings, "events"), _recording, (suite,)),
    ):
        async with open_channel(where) as channel:
            repeated = 0.0
            async with _load(ask_of(channel)) as tally:
                await asyncio.sleep(AROUND_S)
                for replica in replicas:
                    repeated += await _restart(replica, name)
                await asyncio.sleep(AROUND_S)
        repeated += sum([await _repeated(replica, name) for replica in replicas])
        rows.append(
            {
                "service": name,
                "replicas": len(replicas),
                "calls": len(tally.waits_s) + len(tally.failures),
                "failed": len(tally.failures),
                "first_failure": tally.failures[0] if tally.failures else "",
                "repeated_attempts": repeated,
                "longest_ms": max(tally.waits_s, default=0.0) * 1e3,
            }
        )
    return rows


def _recommending(channel: grpc.aio.Channel) -> Ask:
    recommend = ranking_pb2_grpc.RankingServiceStub(channel).Recommend
    return lambda number: call(
        "ranking",
        recommend,
        ranking_pb2.RecommendRequest(profile_id=f"p{number % 1_000:06d}"),
        timeout_s=DEADLINE_S,
        waits=True,
    )


def _retrieving(channel: grpc.aio.Channel) -> Ask:
    retrieve = candidates_pb2_grpc.CandidatesServiceStub(channel).RetrieveCandidates
    request = candidates_pb2.RetrieveCandidatesRequest(limit=200)

    async def ask(number: int) -> None:
        version = (await _status(channel)).bundle_versions[0]
        request.bundle_version = version
        await call("candidates", retrieve, request, timeout_s=DEADLINE_S, waits=True)

    return ask


async def _status(channel: grpc.aio.Channel) -> candidates_pb2.GetIndexStatusResponse:
    status = candidates_pb2_grpc.CandidatesServiceStub(channel).GetIndexStatus
    request = candidates_pb2.GetIndexStatusRequest()
    return await call("candidates", status, request, timeout_s=DEADLINE_S, waits=True)


def _recording(channel: grpc.aio.Channel) -> Ask:
    record = events_pb2_grpc.EventsServiceStub(channel).RecordEvents
    return lambda number: call(
        "events",
        record,
        events_pb2.RecordEventsRequest(
            events=[
                events_pb2.Event(
                    event_id=f"restart-{number}",
                    profile_id=f"p{number % 1_000:06d}",
                    kind=events_pb2.EVENT_KIND_LOGIN,
                    occurred_at=Timestamp(seconds=1_700_000_000 + number),
                )
            ]
        ),
        timeout_s=DEADLINE_S,
        waits=True,
    )


@contextlib.asynccontextmanager
async def _load(ask: Ask) -> AsyncIterator[Tally]:
    """CALLERS who ask one question after another until the end of the `with`."""
    tally, is_over = Tally(), asyncio.Event()

    async def caller(place: int) -> None:
        number = place
        while not is_over.is_set():
            began = time.perf_counter()
            try:
                await ask(number)
                tally.waits_s.append(time.perf_counter() - began)
            except Fault as fault:
                tally.failures.append(str(fault))
            number += CALLERS

    async with asyncio.TaskGroup() as group:
        for place in range(CALLERS):
            group.create_task(caller(place))
        try:
            yield tally
        finally:
            is_over.set()


async def _restart(suite: Suite, name: str) -> float:
    """Stop and start one process; the repeated attempts that the old one had counted."""
    counted = await _repeated(suite, name)
    await asyncio.to_thread(suite.stop_one, name)
    suite.start_one(name)
    await asyncio.to_thread(suite.wait_ready, (name,), within_s=READY_S)
    return counted


async def _repeated(suite: Suite, name: str) -> float:
    port = getattr(suite.settings, f"{name}_metrics_port")
    address = f"http://{suite.settings.host}:{port}/metrics"
    with await asyncio.to_thread(urllib.request.urlopen, address, timeout=5) as answer:
        text = answer.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "reprise_rpc_repeated_total"
    )


def _show(figures: dict[str, Any]) -> None:
    rows: Sequence[dict[str, Any]] = figures["restarts"]
    table = Table(title=f"Restarted under {CALLERS} callers")
    for column in ("service", "processes", "calls", "failed", "repeated attempts", "longest call"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            row["service"],
            str(row["replicas"]),
            f"{row['calls']:,}",
            f"{row['failed']:,}",
            f"{row['repeated_attempts']:,.0f}",
            f"{row['longest_ms']:,.0f} ms",
        )
    console = Console()
    console.print(table)
    for row in rows:
        if row["failed"]:
            console.print(f"{row['service']}: {row['first_failure']}")
    console.print(f"[dim]{figures['machine']}[/]")
