import pytest

from libs.serving.application import Application, Readiness
from libs.serving.entry_point import run
from libs.serving.identity_settings import Identity
from libs.serving.settings import SuiteSettings
from libs.telemetry.metrics import ServiceMetrics


async def build(
    settings: SuiteSettings, metrics: ServiceMetrics, identity: Identity, readiness: Readiness
) -> Application:
    pytest.fail("nothing is to be opened")


def test_bad_settings_are_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPRISE_PORT_BASE", "none")
    assert run("ranking", SuiteSettings, build) == 1
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("ranking: bad settings: REPRISE_PORT_BASE: ")
