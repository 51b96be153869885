"""`reprise events compact` over a real file."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from libs.domain.event import DAY_MS, Event
from libs.storage.event_store import SqliteEventStore
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, watch


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path))
    return tmp_path


def made(count: int) -> list[Event]:
    return [watch(f"e{n}", START_MS + n, profile_id=f"profile{n % 5}") for n in range(count)]


def fill(home: Path) -> Path:
    path = home / "events" / "events.sqlite"
    with closing(SqliteEventStore(path)) as store:
        store.record_events("default", made(5_000), START_MS + DAY_MS)
    return path


def compacted(*options: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["--json", "events", "compact", "--days", "30", *options])
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_a_log_that_ends_before_today_is_not_compacted_by_the_clock(home: Path) -> None:
    path = fill(home)
    assert compacted()["event_count"] == 0
    later = [watch(f"later{n}", START_MS + n * DAY_MS) for n in (50, 60)]
    with closing(SqliteEventStore(path)) as store:
        store.record_events("default", later, START_MS + 60 * DAY_MS)
    told = compacted()
    assert told["event_count"] == 5_000
    assert told["until_ms"] == (START_MS // DAY_MS + 50 + 1 - 30) * DAY_MS
    assert compacted("--by-clock")["event_count"] == 2


def test_a_log_is_made_smaller_and_said_to_be(home: Path) -> None:
    path = fill(home)
    told = compacted("--by-clock")
    assert told["event_count"] == 5_000
    assert told["bytes_after"] == path.stat().st_size < told["bytes_before"] / 3
    assert compacted("--by-clock")["event_count"] == 0


def test_a_log_in_a_database_is_compacted_beside_its_services(
    home: Path, monkeypatch: pytest.MonkeyPatch, postgres_databases: PostgresDatabases
) -> None:
    url = postgres_databases.fresh()
    monkeypatch.setenv("REPRISE_EVENTS_URL", url)
    monkeypatch.setenv("REPRISE_FEATURES_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("REPRISE_SECRET_FILE", str(postgres_databases.secret))
    with closing(postgres_databases.store(url)) as store:
        some = [
            watch(f"event{n}", START_MS + n, profile_id=f"profile{n % 5}") for n in range(1_200)
        ]
        store.record_events("default", some, START_MS + DAY_MS)
        before = store.watched_days("default", "profile1")
        told = compacted("--by-clock")
        assert told["event_count"] == 1_200
        assert told["bytes_before"] is None
        assert store.history("default", "profile1", most=5) == []
        assert store.watched_days("default", "profile1") == before
    assert compacted()["event_count"] == 0
    postgres_databases.give_back(url)


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
