from typing import Any

import pytest

from libs.simulation.config import SimulationConfig


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": -1},
        {"profile_count": 0},
        {"title_count": 0},
        {"days": 0},
        {"until_ms": 0},
        {"events_target": 0},
        {"movers_share": 1.1},
        {"shared_share": -0.1},
    ],
)
def test_nonsense_is_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        SimulationConfig(**({"until_ms": 1_767_225_600_000} | wrong))


def test_different_configurations_have_different_run_ids() -> None:
    ids = {SimulationConfig(until_ms=1_767_225_600_000, seed=seed).run_id for seed in range(50)}
    assert len(ids) == 50
