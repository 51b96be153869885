"""The load generator's own limit: how many calls one of its processes makes of a bare echo."""

import base64
from contextlib import ExitStack
from typing import Any, Final

import numpy as np
from google.protobuf.wrappers_pb2 import BytesValue
from rich.console import Console
from rich.table import Table

from benchmarks.cores import started_on, two_cores
from benchmarks.machine import machine
from benchmarks.recommend import echo_server
from cli.load.generator import LoadRun
from cli.load.generator import run as run_load
from cli.load.method import known_method
from cli.load.plan import LoadPlan
from cli.load.report import figures

SECONDS: Final = 5.0
ANSWER_BYTES: Final = 1_200  # about an answer of Recommend with 20 titles
CALL: Final = "benchmarks.Echo/Call"
# The open loop is offered these shares of what the closed one reached.
SHARES: Final = (0.25, 0.5, 0.8)


def run() -> dict[str, Any]:
    """Echo on one core, generator on another; returns the figures that it prints."""
    server_core, client_core = two_cores()
    with ExitStack() as stack:
        with started_on(server_core):
            where, _ = stack.enter_context(echo_server(ANSWER_BYTES))
        closed = _load(where, client_core, {"concurrency": 32})
        limit = len(closed.calls.codes) / closed.total_s
        opened = {
            f"open loop at {share:.0%}": _load(where, client_core, {"rate": share * limit})
            for share in SHARES
        }
    runs = {name: _figures(one) for name, one in {"closed loop": closed, **opened}.items()}
    value = {"machine": machine(), "answer_bytes": ANSWER_BYTES, "runs": runs}
    _show(value)
    return value


def _load(where: str, core: int, options: dict[str, Any]) -> LoadRun:
    plan = LoadPlan(target=where, call=CALL, duration_s=SECONDS, cores=(core,), **options)
    row = (f'"{base64.b64encode(bytes(20)).decode()}"',)
    return run_load(plan, known_method(CALL, BytesValue), [row])


def _figures(run: LoadRun) -> dict[str, float]:
    value = figures(run)
    delays = run.calls.sent_s - run.calls.scheduled_s
    return {
        "rps": value["rps"],
        "cpu_us_a_call": run.cpu_s / len(delays) * 1e6,
        "idle_share": value["idleShare"],
        "late": value["late"],
        "send_delay_p99_ms": float(np.percentile(delays, 99)) * 1e3,
        "p50_ms": float(np.percentile(run.calls.latencies_s, 50)) * 1e3,
    }


def _show(value: dict[str, Any]) -> None:
    table = Table(title=f"One client process against a bare echo, {SECONDS:.0f} s each")
    for column in ("", "calls/s", "CPU µs a call", "core idle", "late", "sent late p99", "p50"):
        table.add_column(column, justify="right")
    for name, row in value["runs"].items():
        table.add_row(
            name,
            f"{row['rps']:,.0f}",
            f"{row['cpu_us_a_call']:.0f}",
            f"{row['idle_share']:.0%}",
            f"{row['late']:,}",
            f"{row['send_delay_p99_ms']:.2f} ms",
            f"{row['p50_ms']:.2f} ms",
        )
    console = Console()
    console.print(table)
    console.print(f"[dim]{value['machine']}; answers of {value['answer_bytes']} bytes[/]")
