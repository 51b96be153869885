"""Remembers what a home was simulated from, so that the truth can be asked again."""

import dataclasses
import json
from pathlib import Path

from cli.moments import moment_text
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.simulation.config import SimulationConfig
from libs.simulation.world import World, build_world


def remember(settings: SuiteSettings, config: SimulationConfig) -> None:
    """Write the configuration beside the data."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n")


def check_same(settings: SuiteSettings, config: SimulationConfig) -> None:
    """Refuse to mix two simulated services in one home; raises StartFault."""
    known = remembered_config(settings)
    if known is not None and known != config:
        raise StartFault(
            f"{settings.home} holds the service simulated with --seed {known.seed} until"
            f" {moment_text(known.until_ms)}; give the same options to repeat it, or set"
            " REPRISE_HOME to simulate another one"
        )


def remembered_config(settings: SuiteSettings) -> SimulationConfig | None:
    """What the home's data came from; None when it was not simulated."""
    path = _path(settings)
    return SimulationConfig(**json.loads(path.read_text())) if path.exists() else None


def remembered_world(settings: SuiteSettings) -> World | None:
    """The world that the home's data came from; None when it was not simulated."""
    config = remembered_config(settings)
    return None if config is None else build_world(config)


def _path(settings: SuiteSettings) -> Path:
    return settings.home / "simulation.json"
