"""A small world that the tests of the simulator share; nothing in it changes."""

import pytest

from libs.simulation.config import SimulationConfig
from libs.simulation.histories import ProfileHistory
from libs.simulation.world import World, build_world

UNTIL_MS = 1_767_225_600_000  # 2026-01-01T00:00Z


@pytest.fixture(scope="session")
def config() -> SimulationConfig:
    return SimulationConfig(until_ms=UNTIL_MS, profile_count=60, title_count=150)


@pytest.fixture(scope="session")
def world(config: SimulationConfig) -> World:
    return build_world(config)


@pytest.fixture(scope="session")
def histories(world: World) -> list[ProfileHistory]:
    return list(world.histories())
