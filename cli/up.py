"""`reprise up`: the services on this machine, kept running until Ctrl-C."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.table import Table

from cli.console import Output
from cli.suite import (
    SERVICES,
    Suite,
    is_listening,
    running,
    target,
    with_free_ports,
    write_ports,
)
from libs.faults import StartFault
from libs.serving.identity_settings import WARNING, IdentityMode, IdentitySettings
from libs.serving.settings import SuiteSettings, read_settings

# A service that ends is started again after this long, so that one that cannot
# start at all does not take the machine with it.
RESTART_S: Final = 1.0


def up(
    settings: SuiteSettings,
    output: Output,
    *,
    is_trained: bool,
    when_ready: Callable[[SuiteSettings], None] = lambda settings: None,
) -> None:
    """Start all services, call `when_ready`, then keep them running until somebody stops this."""
    if settings.events_port == 0:
        settings = with_free_ports(settings)
    _refuse_taken_ports(settings)
    started = time.monotonic()
    try:
        with running(settings, is_trained=is_trained) as suite:
            ports = write_ports(settings)
            _show(settings, output, time.monotonic() - started, ports)
            if not is_trained:
                output.say(
                    "[yellow]No bundle yet: `reprise simulate`, then `reprise train`"
                    " while this keeps running.[/]"
                )
            when_ready(settings)
            output.say("[dim]Serving. Ctrl-C stops everything.[/]")
            _keep_running(suite, output)
    except KeyboardInterrupt:
        output.say("Stopped.")


def _refuse_taken_ports(settings: SuiteSettings) -> None:
    for spec in SERVICES:
        if is_listening(target(settings, spec.name)):
            raise StartFault(
                f"{target(settings, spec.name)} is in use: is the suite already up?"
                " `reprise status` tells; REPRISE_PORT_BASE moves all ports"
            )


def _show(settings: SuiteSettings, output: Output, seconds: float, ports: Path) -> None:
    table = Table(title=f"Reprise is up ({seconds:.1f} s)")
    table.add_column("service")
    table.add_column("gRPC")
    table.add_column("metrics")
    for spec in SERVICES:
        metrics = getattr(settings, f"{spec.name}_metrics_port")
        table.add_row(
            spec.name, target(settings, spec.name), f"http://{settings.host}:{metrics}/metrics"
        )
    output.result(json.loads(ports.read_text()), table)
    if read_settings(IdentitySettings).identity is IdentityMode.DEVELOPMENT:
        output.say(f"[bold yellow]{WARNING}[/]")


def _keep_running(suite: Suite, output: Output) -> None:
    while True:
        time.sleep(RESTART_S)
        name = suite.ended()
        if name is not None:
            output.say(f"[yellow]{name} {suite.end_of(name)}; starting it again.[/]")
            suite.start_one(name)
