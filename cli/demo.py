"""`reprise demo`: from nothing to served recommendations; what `make run` runs."""

import os
import subprocess
import sys

from cli import recommend as recommending
from cli import simulate as simulating
from cli import train as train_command
from cli.console import Output
from cli.moments import today_ms
from cli.suite import environment
from cli.up import up
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.simulation.config import SimulationConfig
from libs.storage.log_reader import LogReader

SAMPLE_PROFILES = ("p000001", "p000007")


def demo(settings: SuiteSettings, output: Output) -> None:
    """Simulate when nothing is recorded, train when nothing is published, then serve."""
    if has_events(settings):
        output.say(f"Events are recorded in {settings.home}: keeping them.")
    else:
        config = SimulationConfig(until_ms=today_ms())
        simulating.show(simulating.simulate(settings, config, output), config, output)
    if train_command.has_bundle(settings):
        output.say("A bundle is published: keeping it. `reprise train` makes a new one.")
    else:
        _train(settings)
    up(settings, output, is_trained=True, when_ready=lambda known: first_answers(known, output))


def _train(settings: SuiteSettings) -> None:
    """Train in a process of its own, whose memory goes with it."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "train"],
        env={**os.environ, **environment(settings)},
        check=False,
    )
    if done.returncode:
        raise StartFault("training has failed; see above")


def has_events(settings: SuiteSettings) -> bool:
    """Whether anything was ever recorded here."""
    return (
        settings.events_path.exists()
        and LogReader(settings.events_path).event_count(DEFAULT_TENANT) > 0
    )


def first_answers(settings: SuiteSettings, output: Output) -> None:
    """Print the first recommendations."""
    for profile_id, device in zip(SAMPLE_PROFILES, ("tv", "phone"), strict=True):
        ask = recommending.Ask(profile_id=profile_id, device=device)
        recommending.recommend(settings, ask, output)
    output.say(
        "Try, in another terminal:  .venv/bin/reprise recommend --profile p000042 --device tv"
    )
