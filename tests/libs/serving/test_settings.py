import json
from pathlib import Path

import pytest

from libs.faults import StartFault
from libs.serving.settings import SuiteSettings, read_settings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "PORT_BASE", "HOST", "EVENTS_URL", "FEATURES_URL"):
        monkeypatch.delenv(f"REPRISE_{name}", raising=False)


def test_ports_and_targets_follow_the_port_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRISE_PORT_BASE", "9000")
    settings = read_settings(SuiteSettings)
    assert (settings.events_port, settings.candidates_port, settings.ranking_port) == (
        9000,
        9001,
        9002,
    )
    assert settings.ranking_metrics_port == 9022
    assert settings.candidates_target == "127.0.0.1:9001"


def test_a_port_of_its_own_moves_the_target_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRISE_EVENTS_PORT", "6000")
    assert read_settings(SuiteSettings).events_target == "127.0.0.1:6000"


def test_with_free_ports_targets_are_those_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRISE_PORT_BASE", "0")
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path))
    assert read_settings(SuiteSettings).ranking_port == 0
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "ports.json").write_text(json.dumps({"ranking": 4242}))
    settings = read_settings(SuiteSettings)
    assert settings.ranking_target == "127.0.0.1:4242"
    assert settings.ranking_metrics_port == 0


def test_a_bad_value_is_one_line_naming_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRISE_PORT_BASE", "high")
    with pytest.raises(StartFault, match=r"^bad settings: REPRISE_PORT_BASE: [^;]*$"):
        read_settings(SuiteSettings)


def test_log_and_features_move_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRISE_EVENTS_URL", "postgresql://user:hush@log/reprise")
    with pytest.raises(StartFault, match="REPRISE_EVENTS_URL and REPRISE_FEATURES_URL"):
        read_settings(SuiteSettings)
    monkeypatch.setenv("REPRISE_FEATURES_URL", "redis://:hush@features")
    settings = read_settings(SuiteSettings)
    assert settings.is_past_one_machine
    assert "hush" not in str(settings.shown())
