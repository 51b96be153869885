"""The entry point of `reprise`."""

import os
import sys
from pathlib import Path
from typing import Annotated, cast

import grpc
import typer

from cli import batch as batch_command
from cli import demo as demo_command
from cli import quiz as play_command
from cli import recap as recap_command
from cli import recommend as recommend_command
from cli import share as share_command
from cli import simulate as simulate_command
from cli import simulated_beats as simulated_beats_command
from cli import status as status_command
from cli import story as story_command
from cli import train as train_command
from cli import up as up_command
from cli.console import Output
from cli.evaluating import evaluating
from cli.events.app import events
from cli.importing import importing
from cli.load import command as load_command
from cli.moments import Moment, today_ms
from cli.present import check_recorded
from cli.profiles import profiles as profiles_app
from cli.recaps import recaps as recaps_app
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import Fault, StartFault
from libs.serving.settings import SuiteSettings, read_settings
from libs.simulation.config import Detail, SimulationConfig
from training.config import TrainingConfig

app = typer.Typer(
    name="reprise",
    help="Reprise: what a viewer sees next. State is in REPRISE_HOME (default var/).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(importing, name="import")
app.add_typer(evaluating, name="evaluate")
app.add_typer(events, name="events")
app.add_typer(profiles_app, name="profiles")
app.add_typer(recaps_app, name="recaps")


@app.callback()
def options(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")] = False,
) -> None:
    """Take what all commands share."""
    context.obj = Output.open(as_json=as_json)


@app.command()
def demo(context: typer.Context) -> None:
    """Simulate, train, start everything, print the first recommendations, keep serving."""
    if context.obj.as_json:
        raise typer.BadParameter("demo is for people; programs call simulate, train and up")
    demo_command.demo(_settings(), context.obj)


@app.command()
def up(context: typer.Context) -> None:
    """Start all services and keep them running until Ctrl-C."""
    settings = _settings()
    up_command.up(settings, context.obj, is_trained=train_command.has_bundle(settings))


@app.command()
def simulate(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="Another seed is another service.")] = 7,
    until: Moment = None,
    profiles: Annotated[int, typer.Option(min=1)] = 2000,
    titles: Annotated[int, typer.Option(min=1, help="Movies, series and live streams.")] = 1200,
    days: Annotated[int | None, typer.Option(min=1, help="56 unless --weeks says more.")] = None,
    weeks: Annotated[int | None, typer.Option(min=1, help="Instead of --days.")] = None,
    event_count: Annotated[
        int | None,
        typer.Option("--events", min=1, help="About so many events, by more active viewers."),
    ] = None,
    detail: Annotated[
        Detail, typer.Option(help="plays: no pages and impressions, twice as fast.")
    ] = Detail.FULL,
    movers: Annotated[
        float, typer.Option(min=0, max=1, help="Households that move to another time zone.")
    ] = 0.0,
    shared: Annotated[
        float, typer.Option(min=0, max=1, help="Adults' profiles that several people watch on.")
    ] = 0.0,
) -> None:
    """Fill the suite with a simulated streaming service; --until defaults to today 00:00 UTC."""
    if days is not None and weeks is not None:
        raise typer.BadParameter("give --days or --weeks, not both")
    try:
        config = SimulationConfig(
            seed=seed,
            until_ms=today_ms() if until is None else until,
            profile_count=profiles,
            title_count=titles,
            days=7 * weeks if weeks else days or 56,
            events_target=event_count,
            detail=detail,
            movers_share=movers,
            shared_share=shared,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    filled = simulate_command.simulate(_settings(), config, context.obj)
    simulate_command.show(filled, config, context.obj)


@app.command("simulated-beats")
def simulated_beats(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON lines, written anew.")],
    series: Annotated[
        list[str] | None, typer.Option(help="Only this one; may be repeated.")
    ] = None,
) -> None:
    """Write what happens in the simulated series, for `reprise import beats`."""
    simulated_beats_command.write(_settings(), file, series or (), context.obj)


@app.command()
def train(
    context: typer.Context,
    until: Moment = None,
    tenant: Annotated[
        str, typer.Option(envvar="REPRISE_TENANT", help="Whose events and catalogue.")
    ] = DEFAULT_TENANT,
) -> None:
    """Train on events with occurred_at before --until (default: all) and publish a bundle."""
    settings = _settings()
    check_recorded(settings)
    config = TrainingConfig.of_home(
        settings.home,
        tenant=tenant,
        until_ms=until,
        log_server=settings.log_server,
    )
    train_command.show(train_command.run_training(config, context.obj), context.obj)


@app.command()
def recommend(
    context: typer.Context,
    profile: Annotated[str, typer.Option(help="Whom for.")],
    limit: Annotated[int, typer.Option()] = 10,
    device: Annotated[
        recommend_command.DeviceName, typer.Option(help="What the viewer watches on.")
    ] = recommend_command.DeviceName.UNSPECIFIED,
    country: Annotated[str, typer.Option(help="Such as PT; default: the profile's.")] = "",
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Lisbon.")] = "",
    at: Moment = None,
    purpose: Annotated[
        recommend_command.PurposeName, typer.Option(help="Only live answers are logged.")
    ] = recommend_command.PurposeName.LIVE,
) -> None:
    """Ask the running services for one slate."""
    ask = recommend_command.Ask(
        profile_id=profile,
        limit=limit,
        device=device,
        country=country,
        time_zone=time_zone,
        at_ms=at,
        purpose=purpose,
    )
    recommend_command.recommend(_settings(), ask, context.obj)


@app.command()
def recap(
    context: typer.Context,
    profile: Annotated[str, typer.Option(help="Whose.")],
    year: Annotated[int | None, typer.Option(help="Default: this one.")] = None,
    lifetime: Annotated[bool, typer.Option("--lifetime", help="All there is.")] = False,
    first_date: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD")] = "",
    last_date: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD")] = "",
    person: Annotated[str, typer.Option(help="Which of those who share the profile.")] = "",
    language: Annotated[str, typer.Option(help="en, ar or th.")] = "",
    next_limit: Annotated[int, typer.Option("--next", min=0, max=50)] = 5,
    out: Annotated[Path | None, typer.Option(help="A folder for images to share.")] = None,
    name: Annotated[str, typer.Option(help="What the images call the viewer.")] = "",
    hide: Annotated[list[str] | None, typer.Option(help="Titles that are on no image.")] = None,
) -> None:
    """Show a profile's recap, asked of the running services; --out writes it as images."""
    ask = recap_command.Ask(
        profile_id=profile,
        year=year,
        is_lifetime=lifetime,
        first_date=first_date,
        last_date=last_date,
        person_id=person,
        language=language,
        next_limit=next_limit,
    )
    answer = recap_command.recap(_settings(), ask, context.obj)
    if out is not None:
        wanted = share_command.Wanted(out, name, tuple(hide or ()))
        share_command.write_recap_images(_settings(), ask.message(), answer, wanted, context.obj)


@app.command()
def story(
    context: typer.Context,
    profile: Annotated[str, typer.Option(help="Who has watched.")],
    series: Annotated[str, typer.Option(help="The id of the series.")],
    length: Annotated[
        story_command.LengthName, typer.Option(help="How long it takes to read.")
    ] = story_command.LengthName.SECONDS_90,
) -> None:
    """Tell the story of a series up to where a profile has watched, and nothing after that."""
    story_command.story(_settings(), profile, series, length, context.obj)


@app.command()
def quiz(
    context: typer.Context,
    profile: Annotated[str, typer.Option(help="Whom for; nobody: nothing is kept.")] = "",
    pack: Annotated[str, typer.Option(help="A curated quiz; default: in the mood.")] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Show how the belief moves, and why each question.")
    ] = False,
    answers: Annotated[
        str | None, typer.Option(help="Numbers or ids, such as 1,2,0,q; default: asks you.")
    ] = None,
    device: Annotated[
        recommend_command.DeviceName, typer.Option(help="What the viewer watches on.")
    ] = recommend_command.DeviceName.UNSPECIFIED,
    quiz_id: Annotated[str, typer.Option(help="Go on with this one; default: a new one.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="A folder for images to share, of a pack and a profile.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the images call the viewer.")] = "",
    hide: Annotated[list[str] | None, typer.Option(help="Titles that are on no image.")] = None,
) -> None:
    """Play the mood quiz, or a curated pack; --out writes what a pack says as images."""
    ask = play_command.Ask(
        profile_id=profile,
        pack_id=pack,
        quiz_id=quiz_id,
        device=device,
        explain=explain,
        answers=None if answers is None else tuple(answers.split(",")),
    )
    wanted = None if out is None else share_command.Wanted(out, name, tuple(hide or ()))
    play_command.quiz(_settings(), ask, context.obj, wanted)


@app.command()
def batch(
    context: typer.Context,
    requests: Annotated[Path, typer.Option(help="CSV with profile_id and request_time.")],
    out: Annotated[Path, typer.Option(help="JSON, {profile: [title ids]}.")],
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
) -> None:
    """Ask the running services for many profiles, each as of its request_time."""
    made = batch_command.batch(_settings(), requests, out, limit, context.obj)
    batch_command.show(made, out, context.obj)


@app.command()
def status(context: typer.Context) -> None:
    """Show which services are ready; exit code 0 only when all are."""
    if not status_command.status(_settings(), context.obj):
        raise typer.Exit(1)


app.command()(load_command.load)


def _settings() -> SuiteSettings:
    return read_settings(SuiteSettings)


def main() -> None:
    """Run one command; what went wrong is one line, not a traceback."""
    # gRPC's own warnings about lost connections are said better by the commands.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        app()
    except (StartFault, Fault) as fault:
        sys.exit(f"reprise: {fault}")
    except grpc.RpcError as error:
        sys.exit(f"reprise: {_call_text(error)}")


def _call_text(error: grpc.RpcError) -> str:
    # What the client raises is a Call too, which the published stubs cannot say.
    call = cast("grpc.Call", error)
    if call.code() is grpc.StatusCode.UNAVAILABLE:
        return f"a service is not reachable ({call.details()}); `reprise status` tells which"
    return f"{call.code().name}: {call.details()}"


if __name__ == "__main__":
    main()
