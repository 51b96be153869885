"""One simulated service, trained before its last week, for all end-to-end tests."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.suite import Suite, environment, running, with_free_ports
from libs.artifacts.bundle import tenant_root
from libs.domain.identifiers import DEFAULT_TENANT
from libs.serving.settings import SuiteSettings

UNTIL = "2026-11-01"
CUT = "2026-10-25"
PROFILES = 600
TITLES = 300


@dataclass(frozen=True)
class Home:
    """A folder of state, and the command line that works on it."""

    settings: SuiteSettings

    @property
    def path(self) -> Path:
        return self.settings.home

    @property
    def bundles(self) -> Path:
        """The bundles of the tenant that everybody is in development."""
        return tenant_root(self.settings.bundles_path, DEFAULT_TENANT)

    def reprise(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env={**os.environ, **environment(self.settings)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, expect: int = 0) -> Any:
        return json.loads(self.reprise("--json", *arguments, expect=expect).stdout)


def home_at(path: Path) -> Home:
    return Home(with_free_ports(SuiteSettings(home=path)))


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Simulated until UNTIL, trained until CUT; nothing is running."""
    home = home_at(tmp_path_factory.mktemp("suite"))
    home.reprise("simulate", "--profiles", str(PROFILES), "--titles", str(TITLES), "--until", UNTIL)
    home.reprise("train", "--until", CUT)
    return home


@pytest.fixture(scope="session")
def suite(trained_home: Home) -> Iterator[Suite]:
    """The four processes on the trained home, for tests that break nothing."""
    with running(trained_home.settings) as started:
        yield started


@pytest.fixture
def breakable(trained_home: Home, tmp_path: Path) -> Iterator[tuple[Home, Suite]]:
    """A copy of the trained home and a suite of its own, for tests that break things."""
    subprocess.run(["cp", "-r", str(trained_home.path), str(tmp_path / "home")], check=True)
    home = home_at(tmp_path / "home")
    suite = Suite(home.settings)
    yield home, suite
    suite.stop()
