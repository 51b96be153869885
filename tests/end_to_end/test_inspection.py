"""What `reprise events` shows of a running suite."""

import itertools
import json
from pathlib import Path

import polars as pl
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cli.calling import open_channel
from cli.console import Output
from cli.events.tail import tail
from cli.suite import Suite
from reprise.events.v1 import events_pb2, events_pb2_grpc
from tests.end_to_end.conftest import Home

pytestmark = pytest.mark.end_to_end


LOGIN = events_pb2.Event(
    event_id="seen-by-the-tail",
    profile_id="p000001",
    kind=events_pb2.EVENT_KIND_LOGIN,
    occurred_at=Timestamp(seconds=1_700_000_000),
)


class Enough(Exception):
    """Ends what would go on until Ctrl-C."""


def test_history_pages_through_what_a_profile_did(trained_home: Home, suite: Suite) -> None:
    some = trained_home.json("events", "history", "--profile", "p000001", "-n", "5")["events"]
    everything = trained_home.json("events", "history", "--profile", "p000001", "-n", "5000")
    assert everything["events"][:5] == some
    times = [event["occurred_at"] for event in everything["events"]]
    assert times == sorted(times, reverse=True)
    plays = trained_home.json("events", "history", "--profile", "p000001", "--kind", "play")
    assert {event["kind"] for event in plays["events"]} == {"PLAY"}
    assert "p000001" in trained_home.reprise("events", "history", "--profile", "p000001").stdout


def test_features_are_shown_now_and_as_of_a_past_time(trained_home: Home, suite: Suite) -> None:
    now = trained_home.json("events", "features", "--profile", "p000001")
    assert now["is_stored"]
    assert now["titles"]
    then = trained_home.json("events", "features", "--profile", "p000001", "--at", "2026-10-01")
    assert 0 < len(then["titles"]) < len(now["titles"])
    stranger = trained_home.json("events", "features", "--profile", "nobody")
    assert (stranger["is_stored"], stranger["titles"]) == (False, [])
    assert "engagement" in trained_home.reprise("events", "features", "--profile", "p000001").stdout


def test_the_tail_goes_on_with_what_arrives(
    trained_home: Home, suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    last = trained_home.json("events", "tail", "-n", "3")["events"]
    assert len(last) == 3
    waits = itertools.count()

    def wait(seconds: float) -> None:
        if next(waits):
            raise Enough
        with open_channel(trained_home.settings, "events") as channel:
            events_pb2_grpc.EventsServiceStub(channel).RecordEvents(
                events_pb2.RecordEventsRequest(events=[LOGIN]), timeout=10
            )

    with pytest.raises(Enough):
        tail(
            trained_home.settings,
            Output.open(as_json=True),
            tenant="default",
            most=2,
            is_followed=True,
            wait=wait,
        )
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(shown) == 3
    assert shown[-1]["event_id"] == LOGIN.event_id


def test_the_log_is_exported_while_the_services_run(
    trained_home: Home, suite: Suite, tmp_path: Path
) -> None:
    shown = trained_home.json("events", "export", "--out", str(tmp_path / "out"))
    frame = pl.read_parquet(tmp_path / "out" / "partition=*" / "events.parquet")
    assert len(frame) == shown["event_count"] > 10_000
    assert len(frame["profile_id"].unique()) <= shown["profile_count"]
    failed = trained_home.reprise("events", "export", "--out", str(tmp_path / "out"), expect=1)
    assert failed.stderr.count("\n") == 1


def test_features_are_rebuilt_while_nobody_else_writes(breakable: tuple[Home, Suite]) -> None:
    home, suite = breakable
    suite.start_one("events")
    suite.wait_ready(("events",))
    before = home.json("events", "features", "--profile", "p000001", "--at", "2026-11-01")
    failed = home.reprise("events", "rebuild", expect=1)
    assert "already written by another process" in failed.stderr
    suite.stop()
    assert home.json("events", "rebuild")["seconds"] > 0
    suite.start_one("events")
    suite.wait_ready(("events",))
    assert home.json("events", "features", "--profile", "p000001", "--at", "2026-11-01") == before
