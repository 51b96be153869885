"""Recommend over real processes: latency one call at a time, CPU per call beside an echo."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import grpc
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from cli.suite import SERVICES, Suite, running, target, with_free_ports
from libs.serving.settings import SuiteSettings
from libs.storage.log_reader import LogReader
from reprise.common.v1 import viewing_pb2
from reprise.ranking.v1 import ranking_pb2

CALLS: Final = 3_000
WARM_UP: Final = 300
LIMIT: Final = 20

# Bytes in, bytes out: the client's own decoding is not what is measured.
Call: TypeAlias = "grpc.UnaryUnaryMultiCallable[bytes, bytes]"


def run() -> dict[str, Any]:
    """Measure on the data and bundle in var/; returns the figures that it prints."""
    settings = SuiteSettings()
    profiles = sorted(
        profile.profile_id for profile in LogReader(settings.events_path).profiles("default")
    )
    requests = [_request(profiles[i % len(profiles)]) for i in range(CALLS + WARM_UP)]
    with running(with_free_ports(settings)) as suite:
        processes = [psutil.Process(suite.process(spec.name).pid) for spec in SERVICES]
        where = target(suite.settings, "ranking")
        method = "/reprise.ranking.v1.RankingService/Recommend"
        size = _answer_size(where, method, requests)
        recommend = _measure(where, method, requests, processes)
        shares = _shares(suite, where, method, requests)
    with echo_server(size) as (echo_target, process):
        echo = _measure(echo_target, "/benchmarks.Echo/Call", requests, [process])
    figures = {
        "machine": machine(),
        "calls": CALLS,
        "answer_bytes": size,
        "recommend": recommend,
        "echo": echo,
        "cpu_multiple_of_echo": recommend["cpu_ms"] / echo["cpu_ms"],
        "cpu_ms_by_service": shares,
    }
    _show(figures)
    return figures


def _request(profile_id: str) -> bytes:
    return ranking_pb2.RecommendRequest(
        profile_id=profile_id,
        limit=LIMIT,
        context=viewing_pb2.ViewingContext(device=viewing_pb2.DEVICE_TV),
    ).SerializeToString()


def _answer_size(where: str, method: str, requests: Sequence[bytes]) -> int:
    with grpc.insecure_channel(where) as channel:
        call: Call = channel.unary_unary(method)
        return int(np.mean([len(call(request, timeout=5)) for request in requests[:50]]))


def _measure(
    where: str, method: str, requests: Sequence[bytes], processes: Sequence[psutil.Process]
) -> dict[str, float]:
    """One call at a time; CPU is user + system of the serving processes alone."""
    with grpc.insecure_channel(where) as channel:
        call: Call = channel.unary_unary(method)
        for request in requests[:WARM_UP]:
            call(request, timeout=5)
        before = _cpu_s(processes)
        latencies = np.empty(CALLS)
        for place, request in enumerate(requests[WARM_UP:]):
            started = time.perf_counter()
            call(request, timeout=5)
            latencies[place] = time.perf_counter() - started
        used = _cpu_s(processes) - before
    p50, p99 = np.percentile(latencies * 1000, [50, 99])
    return {"p50_ms": float(p50), "p99_ms": float(p99), "cpu_ms": used / CALLS * 1000}


def _shares(suite: Suite, where: str, method: str, requests: Sequence[bytes]) -> dict[str, float]:
    """CPU per call of each service, in a second run of the same calls."""
    processes = {spec.name: psutil.Process(suite.process(spec.name).pid) for spec in SERVICES}
    before = {name: _cpu_s([process]) for name, process in processes.items()}
    with grpc.insecure_channel(where) as channel:
        call: Call = channel.unary_unary(method)
        for request in requests[:CALLS]:
            call(request, timeout=5)
    return {
        name: (_cpu_s([process]) - before[name]) / CALLS * 1000
        for name, process in processes.items()
    }


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return float(sum(one.user + one.system for one in times))


@contextmanager
def echo_server(size: int) -> Iterator[tuple[str, psutil.Process]]:
    """The bare echo with answers of `size` bytes: where it listens, and its process."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.echo_server", str(size)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield f"127.0.0.1:{port}", psutil.Process(process.pid)
        finally:
            process.terminate()


def _show(figures: dict[str, Any]) -> None:
    table = Table(title=f"Recommend, one call at a time (n = {CALLS:,}, limit {LIMIT})")
    for column in ("", "p50 ms", "p99 ms", "CPU ms a call"):
        table.add_column(column, justify="right")
    for name in ("recommend", "echo"):
        row = figures[name]
        table.add_row(name, *(f"{row[key]:.2f}" for key in ("p50_ms", "p99_ms", "cpu_ms")))
    by_service = ", ".join(
        f"{name} {cpu_ms:.2f} ms" for name, cpu_ms in figures["cpu_ms_by_service"].items()
    )
    console = Console()
    console.print(table)
    console.print(f"CPU: {figures['cpu_multiple_of_echo']:.1f} × echo; by service {by_service}")
    console.print(f"[dim]{figures['machine']}; answers of {figures['answer_bytes']} bytes[/]")
