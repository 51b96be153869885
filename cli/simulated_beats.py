"""`reprise simulated-beats`: the stories of the simulated series, for `reprise import beats`."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from cli.console import Output
from cli.simulated import remembered_world
from libs.domain.title import TitleKind
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.simulation.beat_file import beat_lines


def write(settings: SuiteSettings, path: Path, series: Sequence[str], output: Output) -> None:
    """Write the beats of these series, or of all, to `path` and say how many there are.

    Raises StartFault where the home holds no simulated service or that has no such series.
    """
    world = remembered_world(settings)
    if world is None:
        raise StartFault(f"{settings.home} holds no simulated service: run `reprise simulate`")
    known = [title.title_id for title in world.titles if title.kind is TitleKind.SERIES]
    unknown = sorted(set(series) - set(known))
    if unknown:
        raise StartFault(f"there is no simulated series {', '.join(unknown)}")
    chosen = [series_id for series_id in known if not series or series_id in series]
    count = 0
    try:
        with path.open("w", encoding="utf-8") as file:
            for series_id in chosen:
                for line in beat_lines(world.story(series_id)):
                    file.write(line + "\n")
                    count += 1
    except OSError as error:
        raise StartFault(f"{path} cannot be written: {error.strerror}") from error
    table = Table(title="Simulated beats", show_header=False)
    table.add_row("file", str(path))
    table.add_row("series", f"{len(chosen):,}")
    table.add_row("beats", f"{count:,}")
    output.result({"file": str(path), "series": len(chosen), "beats": count}, table)
