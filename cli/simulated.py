"""Remembers what a home was simulated from, so that the truth can be asked again."""

import dataclasses
import json
from pathlib import Path

from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.simulation.config import Detail, SimulationConfig
from libs.simulation.world import World, build_world


def remember(settings: SuiteSettings, config: SimulationConfig, *, is_complete: bool) -> None:
    """Write the configuration beside the data, before it is sent and when all of it is."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {"is_complete": is_complete, "config": dataclasses.asdict(config)}
    path.write_text(json.dumps(known, indent=2) + "\n")


def unfinished_config(settings: SuiteSettings) -> SimulationConfig | None:
    """The simulation that was interrupted here, if one was."""
    path = _path(settings)
    if not path.exists() or json.loads(path.read_text())["is_complete"]:
        return None
    return remembered_config(settings)


def check_same(settings: SuiteSettings, config: SimulationConfig) -> None:
    """Refuse to mix two simulated services in one home; raises StartFault."""
    known = remembered_config(settings)
    if known is not None and known != config:
        raise StartFault(
            f"{settings.home} holds another simulated service; set REPRISE_HOME for a new one, or"
            f" repeat this one by: reprise simulate {options_of(known)}"
        )


def options_of(config: SimulationConfig) -> str:
    """The options of `reprise simulate` that give this configuration."""
    options = (
        f"--seed {config.seed} --until {config.until_ms // 1000}"
        f" --profiles {config.profile_count} --titles {config.title_count} --days {config.days}"
    )
    if config.events_target:
        options += f" --events {config.events_target}"
    if config.detail is not Detail.FULL:
        options += f" --detail {config.detail}"
    if config.movers_share:
        options += f" --movers {config.movers_share:g}"
    if config.shared_share:
        options += f" --shared {config.shared_share:g}"
    return options


def remembered_config(settings: SuiteSettings) -> SimulationConfig | None:
    """What the home's data came from; None when it was not simulated."""
    path = _path(settings)
    if not path.exists():
        return None
    known = json.loads(path.read_text())["config"]
    known["detail"] = Detail(known.get("detail", Detail.FULL))
    return SimulationConfig(**known)


def remembered_world(settings: SuiteSettings) -> World | None:
    """The world that the home's data came from; None when it was not simulated."""
    config = remembered_config(settings)
    return None if config is None else build_world(config)


def _path(settings: SuiteSettings) -> Path:
    return settings.home / "simulation.json"
