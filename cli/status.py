"""`reprise status`: which services are ready, and on what."""

from typing import Any

import grpc
from rich.table import Table

from cli.calling import open_channel
from cli.console import Output
from cli.moments import moment_text
from cli.suite import SERVICES, health_target, is_listening, is_serving, target
from libs.serving.decoding import time_ms
from libs.serving.identity_settings import WARNING, IdentityMode, IdentitySettings
from libs.serving.settings import SuiteSettings, read_settings
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc


def status(settings: SuiteSettings, output: Output) -> bool:
    """Show every service; returns whether all of them are ready."""
    states = {spec.name: _state(settings, spec.name, spec.grpc_name) for spec in SERVICES}
    index = _index(settings)
    table = Table(title="Reprise")
    for column in ("service", "listens on", "state"):
        table.add_column(column)
    for name, state in states.items():
        colour = {"ready": "green", "not ready": "yellow"}.get(state, "red")
        table.add_row(name, target(settings, name), f"[{colour}]{state}[/]")
    is_ready = all(state == "ready" for state in states.values())
    identity = read_settings(IdentitySettings).identity
    output.result(
        {"ready": is_ready, "services": states, "index": index, "identity": identity.value}, table
    )
    if identity is IdentityMode.DEVELOPMENT and not output.as_json:
        output.say(f"[bold yellow]{WARNING}[/]")
    if index and not output.as_json:
        output.say(
            f"[dim]bundle {index['bundle_version']}, {index['title_count']:,} titles,"
            f" trained until {moment_text(index['trained_until_ms'])}[/]"
        )
    return is_ready


def _state(settings: SuiteSettings, name: str, grpc_name: str) -> str:
    where = target(settings, name)
    if not is_listening(where):
        return "down"
    return "ready" if is_serving(health_target(settings, name), grpc_name) else "not ready"


def _index(settings: SuiteSettings) -> dict[str, Any] | None:
    with open_channel(settings, "candidates") as channel:
        try:
            answer = candidates_pb2_grpc.CandidatesServiceStub(channel).GetIndexStatus(
                candidates_pb2.GetIndexStatusRequest(), timeout=2
            )
        except grpc.RpcError:
            return None
    if not answer.bundle_versions:
        return None
    return {
        "bundle_version": answer.bundle_versions[0],
        "title_count": answer.title_count,
        "trained_until_ms": time_ms(answer.trained_until, "trained_until"),
    }
