"""`reprise events compact`: events of long ago become what is kept of them."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.table import Table

from cli.console import Output
from cli.moments import moment_text
from libs.faults import StartFault
from libs.serving.clock import now_ms
from libs.serving.settings import SuiteSettings
from libs.storage.compaction import (
    ACTIVE_DAYS,
    FIRST,
    Place,
    active_days,
    believed_ms,
    compact_before,
    compact_file,
    count_old,
)
from libs.storage.recorded_log import LogServer
from libs.storage.server_extra import server_extra

# A step of the service that is under way is over by then.
_RETRY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was done; times in Unix ms, sizes of the file in bytes, of a database unknown."""

    until_ms: int
    event_count: int
    seconds: float
    bytes_before: int | None = None
    bytes_after: int | None = None


def compact(
    settings: SuiteSettings, days: int | None, output: Output, *, is_by_clock: bool
) -> Compacted:
    """Compact the log: a file, which no service may be writing, or the database. StartFault.

    `days` are kept; None keeps those of REPRISE_RETENTION_DAYS. They are counted from the last
    day but one of the log where it ends before today, or `is_by_clock` from now.
    """
    kept = settings.retention_days if days is None else days
    if not kept:
        raise StartFault("say how many days are kept: --days, or REPRISE_RETENTION_DAYS")
    if settings.log_server is not None:
        return _compact_server(settings.log_server, kept, output, is_by_clock=is_by_clock)
    path = settings.events_path
    if not path.exists():
        raise StartFault(f"nothing is recorded in {settings.home}; `reprise simulate` fills it")
    return _compact_file(path, kept, output, is_by_clock=is_by_clock)


def _compact_file(path: Path, kept: int, output: Output, *, is_by_clock: bool) -> Compacted:
    began, bytes_before = time.monotonic(), path.stat().st_size
    until_ms, count = _until_ms(kept, None if is_by_clock else active_days(path), output), 0
    with output.progress() as bars:
        task = bars.add_task("events", total=count_old(path, until_ms))
        for count in compact_file(path, until_ms):
            bars.update(task, completed=count)
    spent_s = time.monotonic() - began
    return Compacted(until_ms, count, spent_s, bytes_before, path.stat().st_size)


def _compact_server(
    server: LogServer, kept: int, output: Output, *, is_by_clock: bool
) -> Compacted:
    with server_extra():
        from libs.storage.postgres.event_store import PostgresEventStore
        from libs.storage.postgres.identities import open_identities
    began, count = time.monotonic(), 0
    identities = open_identities(server.keys_url, server.secret, may_make=False)
    with closing(PostgresEventStore(server.url, identities)) as store:

        def steps() -> Iterator[int]:
            after: Place | None = FIRST
            while after is not None:
                done = store.compact(until_ms, after)
                if done.is_elsewhere:
                    time.sleep(_RETRY_S)
                    continue
                after = done.after
                yield done.event_count

        days = None if is_by_clock else store.active_days(ACTIVE_DAYS)
        until_ms = _until_ms(kept, days, output)
        with output.progress() as bars:
            task = bars.add_task("events", total=None)
            for some in steps():
                count += some
                bars.update(task, completed=count)
    return Compacted(until_ms, count, time.monotonic() - began)


def _until_ms(kept: int, days: list[int] | None, output: Output) -> int:
    at_ms = now_ms()
    until_ms = compact_before(at_ms if days is None else believed_ms(at_ms, days), kept)
    if until_ms < compact_before(at_ms, kept):
        output.say(
            "[yellow]The log ends before today: the days that are kept are counted from its last"
            " day but one. --by-clock counts them from now.[/]"
        )
    return max(until_ms, 0)


def show(compacted: Compacted, output: Output) -> None:
    """Show what was done."""
    table = Table(show_header=False)
    table.add_row("events compacted", f"{compacted.event_count:,}")
    table.add_row("those until", moment_text(compacted.until_ms))
    if compacted.bytes_before is not None and compacted.bytes_after is not None:
        table.add_row("MB before", f"{compacted.bytes_before / 1e6:,.1f}")
        table.add_row("MB after", f"{compacted.bytes_after / 1e6:,.1f}")
    table.add_row("seconds", f"{compacted.seconds:.1f}")
    output.result(asdict(compacted), table)
