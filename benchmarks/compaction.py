"""Compaction: all but the last days of a copy of the log in var/, on one core."""

import resource
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
from libs.domain.event import DAY_MS
from libs.domain.identifiers import DEFAULT_TENANT
from libs.serving.settings import SuiteSettings
from libs.storage.compaction import compact_before, compact_file
from libs.storage.event_store import SqliteEventStore
from libs.storage.log_reader import LogReader

KEPT_DAYS: Final = 7

# The log, and what is kept of it.
_LOG: Final = (
    "events",
    "title_bases",
    "title_shares",
    "compacted_ids",
    "profile_days",
    "profile_bases",
)


def run() -> dict[str, Any]:
    """Measure on a copy of the log; returns the figures that it prints.

    The reference is of the same run: deleting as many rows, and keeping nothing of them.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, bare = Path(folder) / "events.sqlite", Path(folder) / "bare.sqlite"
        source = SuiteSettings().events_path
        for copy in (path, bare):
            with (
                closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as here,
                closing(sqlite3.connect(copy)) as there,
            ):
                here.backup(there)
        # Brings an older file to this release's tables, so that both are of the same size.
        with closing(SqliteEventStore(path)), closing(LogReader(path)) as log:
            events, newest_ms = log.event_count(DEFAULT_TENANT), log.newest_event_ms(DEFAULT_TENANT)
        _vacuum(path)
        with closing(sqlite3.connect(path)) as connection:
            sizes_before = _sizes(connection)
        until_ms = compact_before(newest_ms + DAY_MS, KEPT_DAYS)
        bytes_before = path.stat().st_size
        cpu_s, begun = time.process_time(), time.perf_counter()
        marks, counts = [begun], [0]
        for count in compact_file(path, until_ms):
            marks.append(time.perf_counter())
            counts.append(count)
        whole_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu_s
        reference_s = _delete(bare, until_ms)
        bytes_after = path.stat().st_size
        with closing(sqlite3.connect(path)) as connection:
            sizes = _sizes(connection)
    compacted = counts[-1]
    steps_ms = np.diff(marks) * 1e3
    figures = {
        "machine": machine(),
        "events": events,
        "compacted": compacted,
        "events_a_second": compacted / max(marks[-1] - marks[0], 1e-9),
        "deleted_a_second": compacted / max(reference_s, 1e-9),
        "cpu_s": cpu_s,
        "events_a_cpu_second": compacted / max(cpu_s, 1e-9),
        "with_vacuum_s": whole_s,
        "steps": len(steps_ms),
        "step_p50_ms": float(np.percentile(steps_ms, 50)),
        "step_p99_ms": float(np.percentile(steps_ms, 99)),
        "longest_step_ms": float(steps_ms.max()),
        "bytes_before": bytes_before,
        "bytes_after": bytes_after,
        "log_bytes_before": sizes_before.get("events"),
        "log_bytes_after": sum(sizes.get(name, 0) for name in _LOG),
        "bytes_of": sizes,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }
    _show(figures)
    return figures


def _vacuum(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _delete(path: Path, until_ms: int) -> float:
    begun = time.perf_counter()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON").fetchall()
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("DELETE FROM events WHERE occurred_ms <= ?", (until_ms,))
    return time.perf_counter() - begun


def _sizes(connection: sqlite3.Connection) -> dict[str, int]:
    """The bytes of each table with its indexes, where SQLite was built to tell."""
    try:
        rows = connection.execute(
            "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name)"
            " GROUP BY tbl_name ORDER BY 2 DESC"
        ).fetchall()
    except sqlite3.OperationalError:
        return {}
    return dict(rows)


def _show(figures: dict[str, Any]) -> None:
    table = Table("", "", title=f"{figures['compacted']:,} of {figures['events']:,} compacted")
    table.add_row("events a second", f"{figures['events_a_second']:,.0f}")
    table.add_row("rows deleted a second, nothing kept", f"{figures['deleted_a_second']:,.0f}")
    table.add_row(
        "a step, p50 and p99", f"{figures['step_p50_ms']:.0f}, {figures['step_p99_ms']:.0f} ms"
    )
    table.add_row("events a CPU second", f"{figures['events_a_cpu_second']:,.0f}")
    table.add_row("MB of the log before", f"{(figures['log_bytes_before'] or 0) / 1e6:,.1f}")
    table.add_row("MB of what is left and kept", f"{figures['log_bytes_after'] / 1e6:,.1f}")
    table.add_row("MB of the file before", f"{figures['bytes_before'] / 1e6:,.1f}")
    table.add_row("MB of the file after", f"{figures['bytes_after'] / 1e6:,.1f}")
    for name in _LOG:
        table.add_row(f"  {name}", f"{figures['bytes_of'].get(name, 0) / 1e6:,.1f}")
    console = Console()
    console.print(table)
    console.print(f"[dim]{figures['steps']:,} steps; {figures['machine']}[/]")
