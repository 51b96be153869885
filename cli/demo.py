"""`reprise demo`: from nothing to served recommendations; what `make run` runs."""

import os
import subprocess
import sys
from typing import Final

from cli import recommend as recommending
from cli import simulate as simulating
from cli import train as train_command
from cli.console import Output
from cli.moments import today_ms
from cli.present import newest_event_ms
from cli.simulated import unfinished_config
from cli.suite import environment
from cli.up import up
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.simulation.config import SimulationConfig

SAMPLES: Final = (
    ("p000001", recommending.DeviceName.TV),
    ("p000007", recommending.DeviceName.PHONE),
)


def demo(settings: SuiteSettings, output: Output) -> None:
    """Simulate when nothing is recorded, train when nothing is published, then serve."""
    unfinished = unfinished_config(settings)
    if unfinished is None and newest_event_ms(settings):
        output.say(f"Events are recorded in {settings.home}: keeping them.")
    else:
        config = unfinished or SimulationConfig(until_ms=today_ms())
        if unfinished:
            output.say("A simulation was interrupted here: sending it again, in full.")
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


def first_answers(settings: SuiteSettings, output: Output) -> None:
    """Print the first recommendations."""
    for profile_id, device in SAMPLES:
        ask = recommending.Ask(profile_id=profile_id, device=device)
        recommending.recommend(settings, ask, output)
    output.say(
        "Try, in another terminal:  .venv/bin/reprise recommend --profile p000042 --device tv"
    )
