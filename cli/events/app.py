"""The options of `reprise events`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.events import compact as compact_command
from cli.events import export as export_command
from cli.events import features as features_command
from cli.events import history as history_command
from cli.events import rebuild as rebuild_command
from cli.events import tail as tail_command
from cli.moments import Moment
from cli.present import check_embedded, check_recorded
from libs.domain.event import EventKind
from libs.domain.identifiers import DEFAULT_TENANT
from libs.serving.settings import SuiteSettings, read_settings

events = typer.Typer(no_args_is_help=True, help="Look at what is recorded; take it elsewhere.")

Tenant = Annotated[str, typer.Option(envvar="REPRISE_TENANT", help="Whose events.")]


def parse_kind(text: str) -> EventKind:
    """A kind by its name, such as play or row-scroll."""
    try:
        return EventKind[text.upper().replace("-", "_")]
    except KeyError:
        names = ", ".join(kind.name.lower().replace("_", "-") for kind in EventKind)
        raise typer.BadParameter(f"{text!r} is no kind of event; there are: {names}") from None


@events.command()
def history(
    context: typer.Context,
    profile: Annotated[str, typer.Option(help="Whose.")],
    title: Annotated[str, typer.Option(help="Only of one title.")] = "",
    kind: Annotated[
        list[EventKind] | None,
        typer.Option(parser=parse_kind, metavar="KIND", help="Only of these kinds."),
    ] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=1_000_000)] = 50,
    at: Moment = None,
) -> None:
    """What one profile did, newest first, asked of the running services."""
    ask = history_command.Ask(profile, limit, title, tuple(kind or ()), at)
    history_command.history(_settings(), ask, context.obj)


@events.command()
def features(
    context: typer.Context,
    profile: Annotated[str, typer.Option(help="Whose.")],
    at: Moment = None,
) -> None:
    """What the suite makes of one profile's events, asked of the running services."""
    features_command.features(_settings(), profile, at, context.obj)


@events.command()
def tail(
    context: typer.Context,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=10_000)] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """What arrived last, from the log; the services need not run."""
    settings = _settings()
    check_recorded(settings, tenant)
    tail_command.tail(settings, context.obj, tenant=tenant, most=limit, is_followed=follow)


@events.command()
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="A folder that is made, or empty.")],
    tenant: Tenant = DEFAULT_TENANT,
    partitions: Annotated[int, typer.Option(min=1, max=4096)] = 16,
) -> None:
    """Write the log as Parquet, partitioned by profile; the services may go on writing."""
    settings = _settings()
    check_recorded(settings, tenant)
    exported = export_command.export(settings, out, tenant, partitions, context.obj)
    export_command.show(exported, out, context.obj)


@events.command()
def rebuild(context: typer.Context) -> None:
    """Make the features anew from the log, also after a release that changed them."""
    seconds = rebuild_command.rebuild(_settings(), context.obj)
    rebuild_command.show(seconds, context.obj)


@events.command()
def compact(
    context: typer.Context,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, help="Days that are kept; REPRISE_RETENTION_DAYS."),
    ] = None,
) -> None:
    """Compact events of long ago and make the file smaller, while no service runs."""
    settings = _settings()
    check_embedded(settings)
    compact_command.show(compact_command.compact(settings, days, context.obj), context.obj)


def _settings() -> SuiteSettings:
    return read_settings(SuiteSettings)
