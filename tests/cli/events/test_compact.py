"""`reprise events compact` over a real file."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from libs.domain.event import DAY_MS
from libs.storage.event_store import SqliteEventStore
from tests.made_events import START_MS, watch


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path))
    return tmp_path


def fill(home: Path) -> Path:
    path = home / "events" / "events.sqlite"
    with closing(SqliteEventStore(path)) as store:
        some = [
            watch(f"event{n}", START_MS + n, profile_id=f"profile{n % 5}") for n in range(5_000)
        ]
        store.record_events("default", some, START_MS + DAY_MS)
    return path


def test_a_log_is_made_smaller_and_said_to_be(home: Path) -> None:
    path = fill(home)
    result = CliRunner().invoke(app, ["--json", "events", "compact", "--days", "30"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["event_count"] == 5_000
    assert told["bytes_after"] == path.stat().st_size < told["bytes_before"] / 3
    again = CliRunner().invoke(app, ["--json", "events", "compact", "--days", "30"])
    assert json.loads(again.stdout)["event_count"] == 0


def test_how_much_is_kept_must_be_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(home)
    result = CliRunner().invoke(app, ["events", "compact"])
    assert result.exit_code != 0
    assert "REPRISE_RETENTION_DAYS" in str(result.exception) + result.output
    monkeypatch.setenv("REPRISE_RETENTION_DAYS", "30")
    assert CliRunner().invoke(app, ["events", "compact"]).exit_code == 0


def test_a_file_that_a_service_writes_is_left_alone(home: Path) -> None:
    path = fill(home)
    with closing(SqliteEventStore(path)):
        result = CliRunner().invoke(app, ["events", "compact", "--days", "30"])
    assert result.exit_code != 0
    assert "already written by another process" in str(result.exception) + result.output
