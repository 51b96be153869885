"""`reprise import movielens`: fill the suite with a folder of MovieLens ratings."""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from cli.console import Output
from cli.filling import EVENT_BATCH, Filler, batches, filling
from cli.movielens import BadLine, BadLines, MovieLensFolder
from cli.simulated import remembered_config
from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.faults import StartFault
from libs.serving.clock import now_ms
from libs.serving.settings import SuiteSettings

# How often the bar moves.
_PROGRESS_EVERY = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class Imported:
    """What was sent, how long it took, and which lines could not be used."""

    titles: int
    profiles: int
    events: int
    duplicates: int
    seconds: float
    events_per_second: float
    bad_line_count: int
    bad_lines: tuple[BadLine, ...]


def import_movielens(settings: SuiteSettings, path: Path, output: Output) -> Imported:
    """Send titles, profiles and ratings through the contracts; starts what it needs.

    Doing it again records what is missing and counts the rest as duplicates.
    """
    folder = MovieLensFolder.open(path)
    if remembered_config(settings) is not None:
        raise StartFault(
            f"{settings.home} holds a simulated service; set REPRISE_HOME to import into another"
        )
    bad = BadLines()
    titles = folder.titles(bad)
    profile_ids = folder.profile_ids(bad)
    if not titles:
        raise StartFault(f"{path} describes no movie; bad lines: {bad.count}")
    with filling(settings, output) as filler:
        started = time.monotonic()
        filler.titles(titles)
        stored = _store_profiles(filler, profile_ids)
        title_ids = {title.title_id for title in titles}
        raters: dict[str, None] = {}
        recorded, duplicates = filler.history(
            batches(_ratings(folder, title_ids, bad, raters, output), EVENT_BATCH)
        )
        if not folder.has_users:
            stored += _store_profiles(filler, list(raters))
        seconds = time.monotonic() - started
    return Imported(
        titles=len(titles),
        profiles=stored,
        events=recorded,
        duplicates=duplicates,
        seconds=seconds,
        events_per_second=(recorded + duplicates) / max(seconds, 1e-9),
        bad_line_count=bad.count,
        bad_lines=tuple(bad.first),
    )


def show(imported: Imported, output: Output) -> None:
    """Show what was recorded, and every bad line up to the number that is kept."""
    table = Table(title="MovieLens", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name in ("titles", "profiles", "events", "duplicates"):
        table.add_row(name, f"{getattr(imported, name):,}")
    table.add_row("bad lines", f"{imported.bad_line_count:,}")
    table.add_row("seconds", f"{imported.seconds:.1f}")
    table.add_row("events per second", f"{imported.events_per_second:,.0f}")
    output.result(dataclasses.asdict(imported), table)
    for bad in imported.bad_lines:
        output.say(f"[yellow]{bad.file} line {bad.line}:[/] {escape(bad.problem)}")
    if imported.bad_line_count > len(imported.bad_lines):
        left = imported.bad_line_count - len(imported.bad_lines)
        output.say(f"[yellow]and {left:,} more bad lines[/]")


def _store_profiles(filler: Filler, profile_ids: list[str]) -> int:
    """Store who is not stored yet; what is known of the others, such as kids, is kept."""
    stored = filler.stored_profile_ids(profile_ids)
    filler.profiles(Profile(one) for one in profile_ids if one not in stored)
    return len(profile_ids)


def _ratings(
    folder: MovieLensFolder,
    title_ids: set[str],
    bad: BadLines,
    raters: dict[str, None],
    output: Output,
) -> Iterator[Event]:
    """The events, with a bar for the lines; `raters` collects the users."""
    with output.progress() as progress:
        total = folder.rating_line_count()
        task = progress.add_task("ratings", total=total)
        for line, event in folder.ratings(title_ids, bad, now_ms=now_ms()):
            if line % _PROGRESS_EVERY == 0:
                progress.update(task, completed=line)
            raters[event.profile_id] = None
            yield event
        progress.update(task, completed=total)
