"""How long each service takes from exec to ready, and whether it carries torch."""

import statistics
import subprocess
import sys
import time
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from cli.suite import SERVICES, Suite, with_free_ports
from libs.serving.settings import SuiteSettings

ROUNDS: Final = 5
LIMIT_S: Final = 3.0


def run() -> dict[str, Any]:
    """Start the suite on the data in var/ several times; returns the figures that it prints."""
    seconds: dict[str, list[float]] = {spec.name: [] for spec in SERVICES}
    for _ in range(ROUNDS):
        suite = Suite(with_free_ports(SuiteSettings()))
        try:
            for spec in SERVICES:
                started = time.perf_counter()
                suite.start_one(spec.name)
                suite.wait_ready((spec.name,))
                seconds[spec.name].append(time.perf_counter() - started)
        finally:
            suite.stop()
    figures: dict[str, Any] = {
        "machine": machine(),
        "rounds": ROUNDS,
        "median_s": {name: statistics.median(values) for name, values in seconds.items()},
        "slowest_s": {name: max(values) for name, values in seconds.items()},
        "imports_torch": {spec.name: _imports_torch(spec.module) for spec in SERVICES},
    }
    table = Table(title=f"From exec to ready, one service after another (n = {ROUNDS})")
    for column in ("service", "median s", "slowest s", "limit s", "imports torch"):
        table.add_column(column, justify="right")
    for spec in SERVICES:
        table.add_row(
            spec.name,
            f"{figures['median_s'][spec.name]:.2f}",
            f"{figures['slowest_s'][spec.name]:.2f}",
            f"{LIMIT_S:.1f}",
            str(figures["imports_torch"][spec.name]),
        )
    console = Console()
    console.print(table)
    console.print(f"[dim]{figures['machine']}[/]")
    return figures


def _imports_torch(module: str) -> bool:
    code = f"import sys, {module}.__main__; sys.exit('torch' in sys.modules)"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode != 0
