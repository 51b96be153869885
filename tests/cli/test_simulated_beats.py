import json
from pathlib import Path

import pytest

from cli.console import Output
from cli.simulated import remember
from cli.simulated_beats import write
from libs.domain.title import TitleKind
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.simulation.config import SimulationConfig
from libs.simulation.world import build_world

CONFIG = SimulationConfig(until_ms=1_767_225_600_000, profile_count=3, title_count=20, days=3)


@pytest.fixture
def settings(tmp_path: Path) -> SuiteSettings:
    settings = SuiteSettings(home=tmp_path)
    remember(settings, CONFIG, is_complete=True)
    return settings


def test_the_file_has_the_beats_of_all_series_of_the_home(
    settings: SuiteSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "beats.jsonl"
    write(settings, path, (), Output.open(as_json=True))

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    series = {
        title.title_id for title in build_world(CONFIG).titles if title.kind is TitleKind.SERIES
    }
    assert {line["series_id"] for line in lines} == series
    assert json.loads(capsys.readouterr().out) == {
        "file": str(path),
        "series": len(series),
        "beats": len(lines),
    }


def test_one_series_can_be_written_alone(settings: SuiteSettings, tmp_path: Path) -> None:
    path = tmp_path / "beats.jsonl"
    write(settings, path, (), Output.open(as_json=True))
    first = json.loads(path.read_text().splitlines()[0])["series_id"]
    write(settings, path, (first,), Output.open(as_json=True))

    assert {json.loads(line)["series_id"] for line in path.read_text().splitlines()} == {first}


def test_what_cannot_be_written_is_one_clear_line(settings: SuiteSettings, tmp_path: Path) -> None:
    output = Output.open(as_json=True)
    with pytest.raises(StartFault, match="no simulated series nothing"):
        write(settings, tmp_path / "beats.jsonl", ("nothing",), output)
    with pytest.raises(StartFault, match="cannot be written"):
        write(settings, tmp_path / "missing" / "beats.jsonl", (), output)
    with pytest.raises(StartFault, match="holds no simulated service"):
        write(SuiteSettings(home=tmp_path / "empty"), tmp_path / "beats.jsonl", (), output)
