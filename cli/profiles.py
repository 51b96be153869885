"""`reprise profiles`: take out all that is held about a profile, or have it forgotten."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer
from rich.markup import escape
from rich.table import Table

from cli.calling import open_channel
from cli.console import Output
from cli.moments import moment_text
from libs.faults import StartFault
from libs.serving.decoding import time_ms
from libs.serving.settings import SuiteSettings, read_settings
from reprise.events.v1 import events_pb2, events_pb2_grpc

CALL_S: Final = 60.0

profiles = typer.Typer(no_args_is_help=True, help="What is held about a profile.")

Profile = Annotated[str, typer.Option(help="Whose.")]


@profiles.command()
def export(
    context: typer.Context,
    profile: Profile,
    out: Annotated[Path | None, typer.Option(help="A new file; default: stdout.")] = None,
) -> None:
    """Everything that the suite holds about a profile, as JSON lines."""
    output: Output = context.obj
    count = 0
    with open_channel(_settings(), "events") as channel:
        answers = events_pb2_grpc.EventsServiceStub(channel).ExportProfile(
            events_pb2.ExportProfileRequest(profile_id=profile), timeout=CALL_S
        )
        if out is None:
            for answer in answers:
                sys.stdout.write(answer.json_lines)
            return
        with _whole_file(out) as file:
            for answer in answers:
                file.write(answer.json_lines)
                count += answer.json_lines.count("\n")
    table = Table(title=escape(str(out)), show_header=False)
    table.add_row("lines", f"{count:,}")
    output.result({"out": str(out), "line_count": count}, table)


@profiles.command()
def erase(
    context: typer.Context,
    profile: Profile,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Have a profile forgotten everywhere; what is gone never comes back."""
    output: Output = context.obj
    if not yes:
        if output.as_json:
            raise StartFault("erasing cannot be undone: programs say --yes")
        typer.confirm(f"Erase {profile} for good?", abort=True)
    with open_channel(_settings(), "events") as channel:
        answer = events_pb2_grpc.EventsServiceStub(channel).EraseProfile(
            events_pb2.EraseProfileRequest(profile_id=profile), timeout=CALL_S
        )
    output.result(_value(profile, answer), _receipt(profile, answer))
    if not answer.is_complete and not output.as_json:
        output.say("[yellow]Not complete yet: events goes on trying; asked again it tells.[/]")


@contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    """A new file for its owner alone, that is there when the block ended well, or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        if path.exists():
            raise StartFault(f"{path} is there already")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
        part.rename(path)
    except OSError as error:
        raise StartFault(f"cannot write {path}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def _value(profile_id: str, answer: events_pb2.EraseProfileResponse) -> dict[str, Any]:
    due = answer.HasField("next_bundle_due")
    return {
        "profile_id": profile_id,
        "erased_at": moment_text(time_ms(answer.erased_at, "erased_at")),
        "is_complete": answer.is_complete,
        "event_count": answer.event_count,
        "decision_count": answer.decision_count,
        "title_count": answer.title_count,
        "had_profile": answer.had_profile,
        "services": {one.service: one.problem or "done" for one in answer.services},
        "bundle_versions": list(answer.bundle_versions),
        "next_bundle_due": moment_text(time_ms(answer.next_bundle_due, "due")) if due else None,
    }


def _receipt(profile_id: str, answer: events_pb2.EraseProfileResponse) -> Table:
    value = _value(profile_id, answer)
    table = Table(title=f"Erased: {escape(profile_id)}", show_header=False)
    table.add_row("erased at", value["erased_at"])
    table.add_row("events", f"{answer.event_count:,}")
    table.add_row("decisions", f"{answer.decision_count:,}")
    table.add_row("titles", f"{answer.title_count:,}")
    for service, state in value["services"].items():
        table.add_row(service, state)
    table.add_row("in bundles", "\n".join(value["bundle_versions"]) or "none")
    table.add_row("next bundle due", value["next_bundle_due"] or "–")
    return table


def _settings() -> SuiteSettings:
    return read_settings(SuiteSettings)
