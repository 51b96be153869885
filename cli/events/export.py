"""`reprise events export`: the log as Parquet."""

import dataclasses
from contextlib import closing
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from cli.console import Output
from cli.present import recorded_log
from libs.serving.clock import now_ms
from libs.serving.settings import SuiteSettings
from libs.storage.parquet_export import Export, export_log


def export(
    settings: SuiteSettings, out: Path, tenant: str, partition_count: int, output: Output
) -> Export:
    """Write the folder `out`; raises StartFault unless it is new or empty."""
    with output.progress() as bars, closing(recorded_log(settings)) as log:
        task = bars.add_task("partitions", total=partition_count)
        return export_log(
            log,
            tenant,
            out,
            partition_count=partition_count,
            now_ms=now_ms(),
            on_progress=lambda done, total: bars.update(task, completed=done),
        )


def show(exported: Export, out: Path, output: Output) -> None:
    """Show what was written."""
    table = Table(title=escape(str(out)), show_header=False)
    table.add_row("events", f"{exported.event_count:,}")
    table.add_row("days of compacted events", f"{exported.day_count:,}")
    table.add_row("profiles", f"{exported.profile_count:,}")
    table.add_row("partitions", f"{exported.partition_count:,}")
    table.add_row("watermark", f"{exported.watermark:,}")
    table.add_row("schema", str(exported.export_schema_version))
    output.result(dataclasses.asdict(exported), table)
