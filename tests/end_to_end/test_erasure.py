"""A profile is forgotten by real processes: in every file, for good, also by who was away."""

import json
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cli.calling import open_channel
from cli.suite import Suite
from reprise.events.v1 import events_pb2, events_pb2_grpc
from tests.end_to_end.conftest import Home

pytestmark = pytest.mark.end_to_end

MARKER = "marker-of-nobody-else"


def seen(event_id: str, profile_id: str = MARKER) -> events_pb2.Event:
    return events_pb2.Event(
        event_id=event_id,
        profile_id=profile_id,
        kind=events_pb2.EVENT_KIND_PLAY,
        occurred_at=Timestamp(seconds=1_790_000_000),
        title_id="t00001",
        watched=events_pb2.WatchedInterval(from_ms=0, to_ms=60_000, duration_ms=90_000),
    )


def record(home: Home, *events: events_pb2.Event) -> events_pb2.RecordEventsResponse:
    with open_channel(home.settings, "events") as channel:
        return events_pb2_grpc.EventsServiceStub(channel).RecordEvents(
            events_pb2.RecordEventsRequest(events=events), timeout=10
        )


def files_with(home: Home, marker: str) -> list[Path]:
    files = [file for file in home.path.rglob("*") if file.is_file()]
    return [file for file in files if marker.encode() in file.read_bytes()]


def test_a_profile_is_exported_whole_and_then_forgotten_everywhere(
    breakable: tuple[Home, Suite], tmp_path: Path
) -> None:
    home, suite = breakable
    suite.start()
    suite.wait_ready()
    record(home, *(seen(f"marked-{place}") for place in range(300)))
    home.reprise("recommend", "--profile", MARKER)
    out = tmp_path / "export.jsonl"
    home.json("profiles", "export", "--profile", MARKER, "--out", str(out))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert sum(line["kind"] == "event" for line in lines) == 300
    assert files_with(home, MARKER)

    suite.stop_one("ranking")
    first = home.json("profiles", "erase", "--profile", MARKER, "--yes")
    assert (first["event_count"], first["is_complete"]) == (300, False)
    assert first["services"]["ranking"] != "done"
    late = record(home, seen("late"), seen("kept", "p000001"), seen("marked-1"))
    assert late.recorded_count == 1
    assert [one.index for one in late.rejections] == [0, 2]
    assert {one.reason for one in late.rejections} == {events_pb2.REJECTION_REASON_ERASED_PROFILE}

    suite.start_one("ranking")
    suite.wait_ready()
    again = home.json("profiles", "erase", "--profile", MARKER, "--yes")
    assert again["is_complete"]
    assert {**again, "services": {}, "is_complete": 0} == {
        **first,
        "services": {},
        "is_complete": 0,
    }
    suite.stop()
    assert files_with(home, MARKER) == []


def test_only_operators_may_have_a_profile_forgotten(
    breakable: tuple[Home, Suite], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, suite = breakable
    secret = tmp_path / "secret"
    secret.write_text("a-secret-of-thirty-two-characters\n")
    monkeypatch.setenv("REPRISE_IDENTITY", "jwt")
    monkeypatch.setenv("REPRISE_JWT_SECRET_FILE", str(secret))
    suite.start_one("events")
    suite.wait_ready(("events",))
    with grpc.insecure_channel(home.settings.events_target) as channel:
        stub = events_pb2_grpc.EventsServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.EraseProfile(events_pb2.EraseProfileRequest(profile_id="p000001"), timeout=10)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
