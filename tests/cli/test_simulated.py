import dataclasses
import json
from pathlib import Path

import pytest

from cli.simulated import check_same, options_of, remember, remembered_config
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.simulation.config import Detail, SimulationConfig

UNTIL_MS = 1_767_225_600_000
FULL = SimulationConfig(until_ms=UNTIL_MS)
PLAYS = SimulationConfig(until_ms=UNTIL_MS, days=420, detail=Detail.PLAYS, movers_share=0.25)


@pytest.fixture
def settings(tmp_path: Path) -> SuiteSettings:
    return SuiteSettings(home=tmp_path)


@pytest.mark.parametrize("config", [FULL, PLAYS])
def test_what_is_remembered_comes_back_as_it_was(
    settings: SuiteSettings, config: SimulationConfig
) -> None:
    remember(settings, config, is_complete=True)

    known = remembered_config(settings)
    assert known == config
    assert known is not None
    assert isinstance(known.detail, Detail)
    assert known.run_id == config.run_id
    check_same(settings, config)


def test_a_home_from_before_an_option_is_known_by_its_default(settings: SuiteSettings) -> None:
    remember(settings, FULL, is_complete=True)
    path = settings.home / "simulation.json"
    known = json.loads(path.read_text())
    added = {"detail", "movers_share", "shared_share"}
    known["config"] = {key: known["config"][key] for key in known["config"].keys() - added}
    path.write_text(json.dumps(known))

    assert remembered_config(settings) == FULL


def test_another_service_is_refused_with_the_options_of_the_first(settings: SuiteSettings) -> None:
    remember(settings, PLAYS, is_complete=True)

    with pytest.raises(StartFault, match=r"--days 420 --detail plays --movers 0\.25"):
        check_same(settings, dataclasses.replace(PLAYS, seed=8))
    assert "--detail" not in options_of(FULL)
