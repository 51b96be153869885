"""`reprise batch`: ask the running services for many profiles, each at a time of its own."""

import asyncio
import csv
import dataclasses
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import grpc
import typer
from rich.table import Table

from cli.console import Output
from cli.moments import moment_text, parse_moment
from cli.suite import is_up, target
from libs.domain.identifiers import check_id
from libs.faults import InvalidField, StartFault
from libs.serving.channels import open_channel
from libs.serving.decoding import time_ms, timestamp
from libs.serving.settings import SuiteSettings
from reprise.common.v1 import purpose_pb2
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc

# Enough that no service waits for another; the machine that measures is small.
IN_FLIGHT: Final = 4
# The first past time of a long log is counted from its beginning.
CALL_S: Final = 120.0

_COLUMNS: Final = ("profile_id", "request_time")


@dataclasses.dataclass(frozen=True, slots=True)
class BatchRequest:
    """Whom for, and as of when."""

    profile_id: str
    at_ms: int


@dataclasses.dataclass(frozen=True, slots=True)
class BatchAnswer:
    """One list, best first, with what it was made by and without."""

    title_ids: tuple[str, ...]
    degraded: tuple[str, ...]
    trained_until_ms: int


@dataclasses.dataclass(frozen=True, slots=True)
class BatchReport:
    """How the batch went; counts are of requests."""

    requests: int
    seconds: float
    empty: int
    degraded: Mapping[str, int]
    trained_later: int
    trained_until_ms: int


def batch(
    settings: SuiteSettings, requests_file: Path, out_file: Path, limit: int, output: Output
) -> BatchReport:
    """Answer every request with purpose EVALUATION and write {profile: [title ids]}."""
    requests = read_requests(requests_file)
    if not out_file.parent.is_dir():
        raise StartFault(f"{out_file.parent} is no folder to write to")
    if not is_up(settings):
        raise StartFault("batch asks the running services: start them with `reprise up`")
    started = time.monotonic()
    with output.progress() as progress:
        task = progress.add_task("asking the services", total=len(requests))
        answers = asyncio.run(
            _ask_all(target(settings, "ranking"), requests, limit, lambda: progress.advance(task))
        )
    write_lists(out_file, {one.profile_id: answers[one].title_ids for one in requests})
    return report(answers, seconds=time.monotonic() - started)


def read_requests(file: Path) -> list[BatchRequest]:
    """The requests in the file's order, equal ones once.

    Raises StartFault naming the line that cannot be used, or that asks again for a profile at
    another time: the answer holds one list a profile.
    """
    asked: dict[str, BatchRequest] = {}
    for line, row in _rows(file):
        try:
            profile_id = check_id("profile_id", row["profile_id"])
            request = BatchRequest(profile_id, parse_moment(row["request_time"]))
        except (InvalidField, typer.BadParameter) as problem:
            raise StartFault(f"{file} line {line}: {problem}") from problem
        if asked.setdefault(request.profile_id, request) != request:
            raise StartFault(
                f"{file} line {line}: profile {request.profile_id!r} is asked for at two times;"
                " the answer holds one list a profile"
            )
    return list(asked.values())


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True, skipinitialspace=True)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise StartFault(f"the first line of {file} does not name {', '.join(missing)}")
            for row in reader:
                yield reader.line_num, {name: (row[name] or "").strip() for name in _COLUMNS}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StartFault(f"{file} cannot be read: {error}") from error


async def _ask_all(
    where: str, requests: Sequence[BatchRequest], limit: int, on_done: Callable[[], None]
) -> dict[BatchRequest, BatchAnswer]:
    """All answers; asked in the order of time, so that counters go forward with it."""
    waiting = iter(sorted(requests, key=lambda request: (request.at_ms, request.profile_id)))
    answers: dict[BatchRequest, BatchAnswer] = {}
    channel = open_channel(where)
    stub = ranking_pb2_grpc.RankingServiceStub(channel)

    async def ask() -> None:
        for request in waiting:
            answers[request] = _answer(
                await stub.Recommend(_message(request, limit), timeout=CALL_S)
            )
            on_done()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(ask())
    except* grpc.RpcError as failed:
        # One line for the person: the others have most likely failed of the same.
        raise failed.exceptions[0] from None
    finally:
        await channel.close()
    return answers


def _message(request: BatchRequest, limit: int) -> ranking_pb2.RecommendRequest:
    return ranking_pb2.RecommendRequest(
        profile_id=request.profile_id,
        limit=limit,
        purpose=purpose_pb2.PURPOSE_EVALUATION,
        request_time=timestamp(request.at_ms),
    )


def _answer(message: ranking_pb2.RecommendResponse) -> BatchAnswer:
    return BatchAnswer(
        title_ids=tuple(message.title_ids),
        degraded=tuple(
            purpose_pb2.Part.Name(part).removeprefix("PART_") for part in message.degraded
        ),
        trained_until_ms=(
            time_ms(message.trained_until, "trained_until")
            if message.HasField("trained_until")
            else 0
        ),
    )


def write_lists(file: Path, lists: Mapping[str, Sequence[str]]) -> None:
    """Write {profile: [title ids]}, whole or not at all."""
    unfinished = file.with_name(f".{file.name}")
    try:
        unfinished.write_text(json.dumps(lists) + "\n", "utf-8")
        unfinished.replace(file)
    except OSError as error:
        raise StartFault(f"{file} cannot be written: {error}") from error


def report(answers: Mapping[BatchRequest, BatchAnswer], *, seconds: float) -> BatchReport:
    """What there is to say about the answers."""
    degraded: dict[str, int] = {}
    for answer in answers.values():
        for part in answer.degraded:
            degraded[part] = degraded.get(part, 0) + 1
    return BatchReport(
        requests=len(answers),
        seconds=seconds,
        empty=sum(not answer.title_ids for answer in answers.values()),
        degraded=degraded,
        trained_later=sum(
            answer.trained_until_ms > request.at_ms for request, answer in answers.items()
        ),
        trained_until_ms=max((one.trained_until_ms for one in answers.values()), default=0),
    )


def show(made: BatchReport, out_file: Path, output: Output) -> None:
    """Show how many, how long, and what a reader of the lists must know."""
    table = Table(title=f"Lists in {out_file}", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("profiles", f"{made.requests:,}")
    table.add_row("seconds", f"{made.seconds:.1f}")
    output.result(dataclasses.asdict(made), table)
    if made.trained_later:
        output.say(
            f"[yellow]{made.trained_later:,} of {made.requests:,} request times are before"
            f" {moment_text(made.trained_until_ms)}, up to when the bundle has seen events: it"
            " knows what came after them. `reprise train --until` makes one that does not.[/]"
        )
    for part, count in sorted(made.degraded.items()):
        output.say(f"[yellow]{count:,} answers were made without {part}[/]")
    if made.empty:
        output.say(f"[yellow]{made.empty:,} lists are empty[/]")
