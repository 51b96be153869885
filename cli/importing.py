"""The options of `reprise import`."""

from pathlib import Path
from typing import Annotated

import typer

from cli import import_beats as beats_command
from cli import import_movielens as movielens_command
from cli import import_pack as pack_command
from libs.serving.settings import SuiteSettings, read_settings

importing = typer.Typer(no_args_is_help=True, help="Fill the suite with data from elsewhere.")


@importing.command()
def movielens(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Holds ratings.dat or ratings.csv.")],
) -> None:
    """Import MovieLens ratings; again, it records only what is missing."""
    imported = movielens_command.import_movielens(read_settings(SuiteSettings), folder, context.obj)
    movielens_command.show(imported, context.obj)


@importing.command()
def beats(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON lines: a beat or an episode a line.")],
) -> None:
    """Import what happens in the episodes of series, whole files only; again changes nothing."""
    imported = beats_command.import_beats(read_settings(SuiteSettings), file, context.obj)
    beats_command.show(imported, file, context.obj)
    if not imported.is_imported:
        raise typer.Exit(1)


@importing.command()
def pack(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A curated quiz, in TOML.")],
) -> None:
    """Check a curated quiz against the catalogue and let recap play it."""
    pack_command.import_pack(read_settings(SuiteSettings), file, context.obj)
