"""What cannot start says why in one line."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.suite import SERVICES, Suite, environment, is_listening, target
from tests.end_to_end.conftest import Home, home_at

pytestmark = pytest.mark.end_to_end


def start(home: Home, service: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env={**os.environ, **environment(home.settings)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("service", ["events", "candidates", "ranking", "recap"])
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, service: str) -> None:
    home = home_at(tmp_path)
    port = getattr(home.settings, f"{service}_port")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = start(home, service)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert str(port) in done.stderr


@pytest.mark.parametrize("service", ["events", "candidates", "recap"])
def test_a_second_writer_on_the_same_data_is_one_clear_line(
    suite: Suite, trained_home: Home, service: str
) -> None:
    done = start(Home(home_at(trained_home.path).settings), service)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "sqlite" in done.stderr


@pytest.mark.parametrize(
    ("service", "events_url", "features_url", "said"),
    [
        ("events", "postgresql://u:secret@127.0.0.1:1/x", "redis://127.0.0.1:1", "127.0.0.1"),
        ("events", "postgresql://u:secret@127.0.0.1:1/x", "rabbit://127.0.0.1:1", "FEATURES_URL"),
        ("ranking", "postgresql://127.0.0.1:1/x", "rabbit://127.0.0.1:1", "FEATURES_URL"),
        ("candidates", "postgresql://127.0.0.1:1/x", "", "FEATURES_URL"),
    ],
)
def test_servers_that_cannot_be_used_are_one_clear_line(
    tmp_path: Path, service: str, events_url: str, features_url: str, said: str
) -> None:
    home = home_at(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env={
            **os.environ,
            **environment(home.settings),
            "REPRISE_EVENTS_URL": events_url,
            "REPRISE_FEATURES_URL": features_url,
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert said in line
    assert "secret" not in line


def test_starting_a_suite_that_is_up_is_one_clear_line(suite: Suite, trained_home: Home) -> None:
    done = trained_home.reprise("up", expect=1)
    assert len(done.stderr.strip().splitlines()) == 1
    assert "is in use" in done.stderr


@pytest.mark.parametrize("signals", [("INT", "INT"), ("HUP",), ("TERM", "INT")])
def test_an_impatient_end_leaves_no_service_behind(
    breakable: tuple[Home, Suite], signals: tuple[str, ...]
) -> None:
    home, _ = breakable
    command = subprocess.Popen(
        [sys.executable, "-m", "cli", "up"],
        env={**os.environ, **environment(home.settings)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    assert any("Serving." in line for line in command.stdout)
    for name in signals:
        command.send_signal(signal.Signals[f"SIG{name}"])
        time.sleep(0.1)  # as a person does; two at once are one to the kernel
    with command:
        assert command.wait(20) == 0
    assert not any(is_listening(target(home.settings, spec.name)) for spec in SERVICES)


def test_asking_a_suite_that_is_down_is_one_clear_line(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    assert not home.json("status", expect=1)["ready"]
    done = home.reprise("recommend", "--profile", "p000001", expect=1)
    assert len(done.stderr.strip().splitlines()) == 1
    assert "reprise status" in done.stderr


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_command_without_its_data_is_one_clear_line(tmp_path: Path, command: str) -> None:
    done = home_at(tmp_path).reprise(command, expect=1)
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("reprise: nothing is recorded in ")
