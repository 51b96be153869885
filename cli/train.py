"""`reprise train`: read the log, fit, evaluate, publish; needs no service."""

import dataclasses

from rich.table import Table

from cli.console import Output
from cli.judged_table import INTERVALS, judged_table
from cli.moments import moment_text
from libs.artifacts.bundle import BundleStore, tenant_root
from libs.domain.identifiers import DEFAULT_TENANT
from libs.serving.clock import now_ms
from libs.serving.settings import SuiteSettings
from training.config import TrainingConfig
from training.pipeline import train
from training.report import TrainingReport


def has_bundle(settings: SuiteSettings, tenant: str = DEFAULT_TENANT) -> bool:
    """Whether a bundle is published here for the tenant."""
    return BundleStore(tenant_root(settings.bundles_path, tenant)).current_version() is not None


def run_training(config: TrainingConfig, output: Output) -> TrainingReport:
    """Train with a progress bar for each stage."""
    with output.progress() as progress:
        tasks = {}

        def note(stage: str, fraction: float) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=100)
            progress.update(tasks[stage], completed=round(100 * fraction))

        return train(config, note, now_ms=now_ms())


def show(report: TrainingReport, output: Output) -> None:
    """Show what was published, how long it took and how good it is."""
    table = Table(title=f"Bundle {report.version}", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("trained until", moment_text(report.trained_until_ms))
    table.add_row("events", f"{report.event_count:,}")
    table.add_row("profiles × titles", f"{report.profile_count:,} × {report.title_count:,}")
    table.add_row("trees", f"{report.tree_count or 'none: no ranker'}")
    for stage, seconds in report.stage_seconds:
        table.add_row(stage, f"{seconds:.1f} s")
    table.add_row("peak memory", f"{report.peak_memory_bytes / 2**20:,.0f} MiB")
    output.result(dataclasses.asdict(report), table)
    if output.as_json:
        return
    if not report.tree_count:
        output.say(
            "[yellow]There is too little to train a ranker: lists are in retrieval's order.[/]"
        )
    if not report.judged:
        output.say(
            "[yellow]Nobody did anything relevant in the latest tenth: nothing is judged.[/]"
        )
        return
    output.console.print(
        judged_table(
            report.judged,
            title=f"The latest tenth of the log ({report.evaluated_count:,} profiles)",
        )
    )
    output.say(f"[dim]the judged models had not seen it; {INTERVALS}[/]")
