"""`reprise events compact`: events of long ago become what is kept of them."""

import time
from dataclasses import asdict, dataclass

from rich.table import Table

from cli.console import Output
from cli.moments import moment_text
from libs.faults import StartFault
from libs.serving.clock import now_ms
from libs.serving.settings import SuiteSettings
from libs.storage.compaction import compact_before, compact_file, count_old


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was done; times in Unix ms, sizes of the file in bytes."""

    until_ms: int
    event_count: int
    bytes_before: int
    bytes_after: int
    seconds: float


def compact(settings: SuiteSettings, days: int | None, output: Output) -> Compacted:
    """Compact the embedded log, which no service may be writing. Raises StartFault.

    `days` are kept; None keeps those of REPRISE_RETENTION_DAYS.
    """
    kept = settings.retention_days if days is None else days
    if not kept:
        raise StartFault("say how many days are kept: --days, or REPRISE_RETENTION_DAYS")
    path = settings.events_path
    if not path.exists():
        raise StartFault(f"nothing is recorded in {settings.home}; `reprise simulate` fills it")
    began, bytes_before = time.monotonic(), path.stat().st_size
    until_ms, count = compact_before(now_ms(), kept), 0
    with output.progress() as bars:
        task = bars.add_task("events", total=count_old(path, until_ms))
        for count in compact_file(path, until_ms):
            bars.update(task, completed=count)
    return Compacted(until_ms, count, bytes_before, path.stat().st_size, time.monotonic() - began)


def show(compacted: Compacted, output: Output) -> None:
    """Show what was done."""
    table = Table(show_header=False)
    table.add_row("events compacted", f"{compacted.event_count:,}")
    table.add_row("those until", moment_text(compacted.until_ms))
    table.add_row("MB before", f"{compacted.bytes_before / 1e6:,.1f}")
    table.add_row("MB after", f"{compacted.bytes_after / 1e6:,.1f}")
    table.add_row("seconds", f"{compacted.seconds:.1f}")
    output.result(asdict(compacted), table)
