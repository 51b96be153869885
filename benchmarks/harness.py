"""What the harness costs: CPU of an echo behind it over that of a bare one, round by round."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, TypeAlias

import grpc
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine

ROUNDS: Final = 9
CALLS: Final = 3_000
WARM_UP: Final = 1_000
SIZE: Final = 1_000
GOAL: Final = 1.5
SERVERS: Final = {"bare": "benchmarks.echo_server", "harness": "benchmarks.harness_server"}

# Bytes in, bytes out: the client's own decoding is not what is measured.
Call: TypeAlias = "grpc.UnaryUnaryMultiCallable[bytes, bytes]"


def run() -> dict[str, Any]:
    """Measure both, turn about; returns the figures that it prints."""
    with ExitStack() as held:
        servers = {name: held.enter_context(_server(module)) for name, module in SERVERS.items()}
        for call, process in servers.values():
            _round(call, process, WARM_UP)
        rounds = [
            {name: _round(call, process, CALLS) for name, (call, process) in servers.items()}
            for _ in range(ROUNDS)
        ]
    ratios = [one["harness"]["cpu_ms"] / one["bare"]["cpu_ms"] for one in rounds]
    figures = {
        "machine": machine(),
        "rounds": ROUNDS,
        "calls_a_round": CALLS,
        "answer_bytes": SIZE,
        **{
            name: {
                key: float(np.median([one[name][key] for one in rounds]))
                for key in ("cpu_ms", "p50_ms")
            }
            for name in SERVERS
        },
        "ratio_median": float(np.median(ratios)),
        "ratio_least": min(ratios),
        "ratio_most": max(ratios),
        "goal": GOAL,
    }
    _show(figures)
    return figures


@contextmanager
def _server(module: str) -> Iterator[tuple[Call, psutil.Process]]:
    with subprocess.Popen(
        [sys.executable, "-m", module, str(SIZE)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield channel.unary_unary("/benchmarks.Echo/Call"), psutil.Process(process.pid)
        finally:
            process.terminate()


def _round(call: Call, process: psutil.Process, count: int) -> dict[str, float]:
    """One call at a time with a deadline, as clients are told to call."""
    before = process.cpu_times()
    latencies = np.empty(count)
    for place in range(count):
        started = time.perf_counter()
        call(b"x" * 100, timeout=5)
        latencies[place] = time.perf_counter() - started
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return {"cpu_ms": used / count * 1000, "p50_ms": float(np.median(latencies)) * 1000}


def _show(figures: dict[str, Any]) -> None:
    table = Table(title=f"Echo of {SIZE} bytes, one call at a time ({ROUNDS} x {CALLS:,} calls)")
    for column in ("", "CPU ms a call", "p50 ms"):
        table.add_column(column, justify="right")
    for name in SERVERS:
        row = figures[name]
        table.add_row(name, f"{row['cpu_ms']:.3f}", f"{row['p50_ms']:.3f}")
    console = Console()
    console.print(table)
    console.print(
        f"harness / bare: {figures['ratio_median']:.2f}"
        f" ({figures['ratio_least']:.2f} to {figures['ratio_most']:.2f}; goal {GOAL})"
    )
    console.print(f"[dim]{figures['machine']}[/]")
