from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.suite import SERVICES
from libs.serving.settings import HEALTH_OFFSET, SuiteSettings
from tests.setting_names import setting_names

FOLDER = Path(__file__).parents[2] / "docker"


COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
SERVER: dict[str, Any] = yaml.safe_load((FOLDER / "compose.server.yaml").read_text("utf-8"))
SERVERS = ("log", "keys", "features")
NAMES = tuple(spec.name for spec in SERVICES)


def test_every_service_of_the_suite_is_there() -> None:
    assert set(COMPOSE["services"]) == {*NAMES, "training"}


def test_every_variable_is_a_setting() -> None:
    # One that is misspelt would be ignored without a word.
    suite = [*COMPOSE["services"].values()]
    suite += [one for name, one in SERVER["services"].items() if name not in SERVERS]
    given = {name for one in suite for name in one["environment"]}

    assert given <= setting_names()


@pytest.mark.parametrize("name", NAMES)
def test_ports_are_the_defaults_and_open_on_loopback_alone(name: str) -> None:
    settings = SuiteSettings(port_base=7400)
    port = getattr(settings, f"{name}_port")
    metrics = getattr(settings, f"{name}_metrics_port")

    assert COMPOSE["services"][name]["ports"] == [
        f"127.0.0.1:{number}:{number}" for number in (port, metrics, port + HEALTH_OFFSET)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_health_is_asked_on_the_health_port(name: str) -> None:
    port = getattr(SuiteSettings(port_base=7400), f"{name}_port") + HEALTH_OFFSET

    assert COMPOSE["services"][name]["healthcheck"]["test"][-1] == f"127.0.0.1:{port}"


@pytest.mark.parametrize("name", [*NAMES, "training"])
def test_no_container_can_change_itself_or_gain_rights(name: str) -> None:
    container = COMPOSE["services"][name]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]


def test_every_part_of_the_suite_is_told_of_the_servers() -> None:
    assert set(SERVER["services"]) == {*NAMES, "training", *SERVERS}
    for name in (*NAMES, "training"):
        variables = SERVER["services"][name]["environment"]
        urls = {f"REPRISE_{part}_URL" for part in ("EVENTS", "KEYS", "FEATURES", "RECAP")}
        assert urls <= set(variables)


@pytest.mark.parametrize("name", SERVERS)
def test_servers_are_seen_by_the_suite_alone_and_change_nothing_but_their_data(name: str) -> None:
    container = SERVER["services"][name]

    assert "ports" not in container
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["user"] != "root"


def test_redis_evicts_nothing() -> None:
    command = SERVER["services"]["features"]["command"]

    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
