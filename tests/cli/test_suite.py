"""What the suite gives its processes."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.suite import environment, health_target, with_free_ports
from libs.serving.settings import SuiteSettings


class WithSecret(SuiteSettings):
    """A service with something to hide."""

    hidden: SecretStr = SecretStr("")


def test_a_process_gets_what_was_set_and_keeps_its_own_defaults(tmp_path: Path) -> None:
    given = environment(SuiteSettings(home=tmp_path, workers=3))
    assert given == {"REPRISE_HOME": str(tmp_path), "REPRISE_WORKERS": "3"}


def test_a_process_gets_secrets_as_they_are_and_people_see_stars(tmp_path: Path) -> None:
    settings = WithSecret(home=tmp_path, hidden=SecretStr("hush"))
    assert environment(settings)["REPRISE_HIDDEN"] == "hush"
    assert "hush" not in str(settings.shown())


def test_free_ports_are_given_on_with_all_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = with_free_ports(SuiteSettings(home=tmp_path))
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    again = SuiteSettings()
    assert again == settings
    assert health_target(again, "ranking").endswith(f":{settings.ranking_health_port}")
    ports = {
        getattr(settings, f"{name}{kind}_port")
        for name in ("events", "candidates", "ranking", "recap")
        for kind in ("", "_metrics", "_health")
    }
    assert len(ports) == 12
