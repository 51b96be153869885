"""Features made anew from the log: a copy of the events in var/, on one core."""

import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from libs.domain.identifiers import DEFAULT_TENANT
from libs.serving.settings import SuiteSettings
from libs.storage.log_reader import LogReader
from libs.storage.rebuild import rebuild_file

GOAL_S: Final = 60.0  # a million events
MILLION: Final = 1_000_000


def run() -> dict[str, Any]:
    """Measure on a copy of the log; returns the figures that it prints.

    The reference is of the same run: reading and decoding every event, without making anything.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.sqlite"
        source = SuiteSettings().events_path
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as here,
            closing(sqlite3.connect(path)) as there,
        ):
            here.backup(there)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        steps = [0.0, *(time.perf_counter() - begun for _ in rebuild_file(path))]
        wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
        begun_cpu = time.process_time()
        with closing(LogReader(path)) as log:
            last_ms = log.newest_event_ms(DEFAULT_TENANT) + 1
            read = sum(len(one) for _, one in log.profile_events(DEFAULT_TENANT, last_ms))
        reference_s = time.process_time() - begun_cpu
    longest_s = float(np.diff(steps).max())
    figures = {
        "machine": machine(),
        "events": read,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "a_million_cpu_s": cpu_s / max(read, 1) * MILLION,
        "goal_s": GOAL_S,
        "steps": len(steps) - 1,
        "longest_step_ms": longest_s * 1e3,
        "reference_cpu_s": reference_s,
    }
    _show(figures)
    return figures


def _show(figures: dict[str, Any]) -> None:
    table = Table("", "s", title=f"Features of {figures['events']:,} events made anew")
    table.add_row("wall", f"{figures['wall_s']:.1f}")
    table.add_row("CPU", f"{figures['cpu_s']:.1f}")
    table.add_row(f"CPU, a million (goal {GOAL_S:.0f})", f"{figures['a_million_cpu_s']:.1f}")
    table.add_row("CPU of reading them alone", f"{figures['reference_cpu_s']:.1f}")
    console = Console()
    console.print(table)
    console.print(
        f"[dim]{figures['steps']:,} steps, the longest {figures['longest_step_ms']:.0f} ms;"
        f" events are recorded between them; {figures['machine']}[/]"
    )
