"""`reprise events rebuild`: the features made anew from the log, while nothing else writes it."""

import time

from rich.table import Table

from cli.console import Output
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.storage.rebuild import rebuild_file


def rebuild(settings: SuiteSettings, output: Output) -> float:
    """Rebuild the embedded features; how many seconds that took. Raises StartFault.

    Past one machine the features are rebuilt by whoever follows the log, when Redis has lost them.
    """
    if settings.is_past_one_machine:
        raise StartFault("features in Redis are rebuilt by the events service itself")
    if not settings.events_path.exists():
        raise StartFault(f"nothing is recorded in {settings.home}; `reprise simulate` fills it")
    began = time.monotonic()
    with output.progress() as bars:
        task = bars.add_task("features", total=100)
        for share in rebuild_file(settings.events_path):
            bars.update(task, completed=round(share * 100))
        bars.update(task, completed=100)
    return time.monotonic() - began


def show(seconds: float, output: Output) -> None:
    """Show how long it took."""
    table = Table(show_header=False)
    table.add_row("seconds", f"{seconds:.1f}")
    output.result({"seconds": seconds}, table)
