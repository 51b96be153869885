"""`python -m tests.load [SERVICE]`: a small simulated service under load, on free ports."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cli.console import Output
from cli.load.generator import load
from cli.load.plan import LoadPlan
from cli.load.report import show
from cli.simulate import simulate
from cli.suite import running, target, with_free_ports
from cli.train import run_training
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.simulation.config import SimulationConfig
from libs.simulation.world import World, build_world
from tests.load import candidates, events, ranking
from tests.load.shot import Shot
from training.config import TrainingConfig

SCRIPTS: Final[dict[str, Callable[[World], Sequence[Shot]]]] = {
    "candidates": candidates.shots,
    "ranking": ranking.shots,
    "events": events.shots,
}
UNTIL_MS: Final = 1_793_491_200_000  # 2026-11-01
CONFIG: Final = SimulationConfig(until_ms=UNTIL_MS, profile_count=300, title_count=200, days=21)
TIMEOUT_S: Final = 5.0


def main(names: list[str]) -> int:
    """Load the services named, or all; the exit code is 1 when a call did not end well."""
    output = Output.open(as_json=False)
    unknown = sorted(set(names) - SCRIPTS.keys())
    if unknown:
        raise StartFault(f"no script {', '.join(unknown)}; there are: {', '.join(SCRIPTS)}")
    world = build_world(CONFIG)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        settings = with_free_ports(SuiteSettings(home=Path(folder)))
        _fill(settings, output)
        with running(settings) as suite:
            for name in names or SCRIPTS:
                where = target(suite.settings, name)
                failed += sum(_fire(shot, where, output) for shot in SCRIPTS[name](world))
    if failed:
        output.say(f"[red]{failed:,} calls did not end well[/]")
    return 1 if failed else 0


def _fill(settings: SuiteSettings, output: Output) -> None:
    simulate(settings, CONFIG, output)
    run_training(TrainingConfig.of_home(settings.home, until_ms=None), output)


def _fire(shot: Shot, where: str, output: Output) -> int:
    """Load, show, and return how many calls failed."""
    plan = LoadPlan(target=where, call=shot.call, timeout_s=TIMEOUT_S, **shot.options)
    run = load(plan, shot.data)
    show(run, output)
    return int((run.calls.codes != 0).sum()) + run.unsent


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StartFault as fault:
        sys.exit(f"load: {fault}")
