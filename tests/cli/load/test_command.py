"""The options of `reprise load`: what is wrong with them is said before anything is sent."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.load.command import parse_cores, parse_metadata, read_data, suite_target
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings

CALL = "reprise.ranking.v1.RankingService/Recommend"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((CALL,), "a run has an end"),
        (("other.v1.Service/Get", "-n", "1"), "name its --target"),
        ((CALL, "-z", "soon"), "'soon' is no duration"),
        ((CALL, "-n", "1", "-t", "never"), "'never' is no duration"),
        ((CALL, "-n", "1", "--cpu", "x"), "no list of cores"),
        ((CALL, "-n", "1", "-m", "[]"), "no JSON object"),
        ((CALL, "-n", "1", "--cert", "me.pem"), "give --cacert too"),
        ((CALL, "-n", "1", "--cacert", "nowhere.pem"), "cannot read nowhere.pem"),
    ],
)
def test_bad_options_are_one_clear_line(arguments: tuple[str, ...], text: str) -> None:
    fault = CliRunner().invoke(app, ["load", *arguments]).exception
    assert isinstance(fault, StartFault)
    assert text in str(fault)
    assert "\n" not in str(fault)


def test_load_goes_to_this_machine_or_where_one_says(tmp_path: Path) -> None:
    settings = SuiteSettings(home=tmp_path, port_base=9000)
    assert suite_target(settings, CALL) == "127.0.0.1:9002"
    elsewhere = settings.model_copy(update={"ranking_target": "ranking.example.net:443"})
    with pytest.raises(StartFault, match=r"give --target ranking\.example\.net:443"):
        suite_target(elsewhere, CALL)


def test_data_is_text_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "requests.json"
    path.write_text("[{}]")
    assert read_data(None, None) == "{}"
    assert read_data("{ }", None) == "{ }"
    assert read_data(None, path) == "[{}]"
    path.write_bytes(b"\xff")
    for data, file in (("{}", path), (None, path), (None, tmp_path / "none.json")):
        with pytest.raises(StartFault):
            read_data(data, file)


def test_cores_and_metadata_are_read() -> None:
    assert parse_cores("") == ()
    assert parse_cores("1, 2") == (1, 2)
    assert parse_metadata("") == ()
    assert parse_metadata('{"Authorization": "Bearer x"}') == (("authorization", "Bearer x"),)
