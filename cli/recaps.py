"""`reprise recaps build`: the batch over an export, and what it made sent to the service."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from cli.calling import open_channel
from cli.console import Output
from libs.faults import InvalidField, StartFault
from libs.serving.decoding import timestamp
from libs.serving.settings import SuiteSettings, read_settings
from libs.storage.catalogue_store import read_catalogue
from libs.storage.parquet_export import read_export
from reprise.recap.v1 import recap_pb2, recap_pb2_grpc
from services.recap.batch import Built, Run, build, forget, open_run
from services.recap.year.period import Period

# Of about 2 kB each: far below the largest request.
ROWS_PER_MESSAGE: Final = 500

recaps = typer.Typer(no_args_is_help=True, help="Make the recaps of all profiles.")


@dataclass(frozen=True, slots=True)
class Sent:
    """What the service has acknowledged."""

    recorded_count: int
    dropped_count: int


@recaps.command(name="build")
def build_command(
    context: typer.Context,
    export: Annotated[Path, typer.Option(help="A folder of `reprise events export`.")],
    work: Annotated[Path, typer.Option(help="The run's folder; the same one goes on.")],
    period: Annotated[
        str, typer.Option(help="2026, 2026-01-01..2026-03-31 or lifetime.")
    ] = "lifetime",
    story: Annotated[str, typer.Option(help="Count this one anew, and no other.")] = "",
    threads: Annotated[int, typer.Option(min=1, max=256)] = 1,
    is_sent: Annotated[
        bool, typer.Option("--send/--no-send", help="Have the running service serve it.")
    ] = True,
) -> None:
    """Count and verify the recaps of an export's profiles; killed, it goes on where it was."""
    settings = read_settings(SuiteSettings)
    output: Output = context.obj
    built = make(settings, export, work, period, output, story=story, threads=threads)
    sent = send(settings, built, output) if is_sent else None
    show(built, sent, output)


def make(
    settings: SuiteSettings,
    export: Path,
    work: Path,
    period: str,
    output: Output,
    *,
    story: str = "",
    threads: int = 1,
) -> Built:
    """Build the run; raises StartFault."""
    try:
        wanted = Period.of_key(period)
    except InvalidField as fault:
        raise StartFault(f"--period: {fault.problem}") from None
    run = _opened(settings, export, work, wanted, threads)
    if story:
        forget(run, story)
    with output.progress() as bars:
        task = bars.add_task("partitions", total=2 * len(run.partitions))
        return build(run, lambda done, total: bars.update(task, completed=done, total=total))


def _opened(settings: SuiteSettings, export: Path, work: Path, period: Period, threads: int) -> Run:
    tenant = read_export(export).tenant
    titles = read_catalogue(settings.catalogue_path, tenant)
    return open_run(export, titles, period, work, threads=threads)


def send(settings: SuiteSettings, built: Built, output: Output) -> Sent:
    """Have the service store the run and serve it; sent again, it is the same."""
    recorded = dropped = 0
    with open_channel(settings, "recap") as channel, output.progress() as bars:
        task = bars.add_task("recaps sent", total=len(built.run.partitions))
        stub = recap_pb2_grpc.RecapServiceStub(channel)
        answers = stub.RecordRecaps(
            messages(built, lambda place: bars.update(task, completed=place))
        )
        for answer in answers:
            recorded += answer.recorded_count
            dropped += answer.dropped_count
    return Sent(recorded, dropped)


def messages(
    built: Built, on_partition: Callable[[int], object] = lambda place: None
) -> Iterator[recap_pb2.RecordRecapsRequest]:
    """The messages of a run, in order; the last one publishes it."""
    run = built.run
    message = recap_pb2.RecordRecapsRequest(
        run_id=run.run_id,
        period=run.period.key,
        cutoff_time=timestamp(run.cutoff_ms),
        cohorts_json=built.cohorts.to_json(),
    )
    for place in range(len(run.partitions)):
        for profile_id, person_id, recap in built.rows(place):
            if len(message.rows) == ROWS_PER_MESSAGE:
                yield message
                message = recap_pb2.RecordRecapsRequest(run_id=run.run_id)
            message.rows.add(
                profile_id=profile_id, person_id=person_id, stories_json=recap.to_json()
            )
        on_partition(place + 1)
    message.is_last = True
    yield message


def show(built: Built, sent: Sent | None, output: Output) -> None:
    """Show what was made."""
    table = Table(title=escape(built.run.run_id), show_header=False)
    value: dict[str, Any] = {
        "run_id": built.run.run_id,
        "period": built.run.period.key,
        "partitions": len(built.run.partitions),
        "disagreeing_count": built.disagreeing_count,
        "countries": len(built.cohorts.countries),
    }
    table.add_row("partitions", f"{value['partitions']:,}")
    table.add_row("countries with a cohort", f"{value['countries']:,}")
    table.add_row("stories that did not survive", f"{built.disagreeing_count:,}")
    if sent is not None:
        value |= {"recorded_count": sent.recorded_count, "dropped_count": sent.dropped_count}
        table.add_row("recaps stored", f"{sent.recorded_count:,}")
        table.add_row("of erased profiles", f"{sent.dropped_count:,}")
    output.result(value, table)
