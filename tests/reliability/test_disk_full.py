"""The events service on a real disk that is too small, and larger later."""

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from cli.suite import running, target, with_free_ports
from libs.domain.event import Event
from libs.serving.settings import SuiteSettings
from libs.storage.event_store import SqliteEventStore
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import event_messages
from tests.killed_ingest import assert_features_are_of_the_log, made_events

pytestmark = pytest.mark.end_to_end

BATCHES = 60


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """4 MiB of memory as a disk; who may not mount one skips the test."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if done.returncode != 0:
        pytest.skip(f"may not mount: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_is_told_and_nothing_is_lost(small_disk: Path) -> None:
    settings, events = with_free_ports(SuiteSettings(home=small_disk)), made_events(5)
    batches = [list(itertools.islice(events, 50)) for _ in range(BATCHES)]
    refused: list[list[Event]] = []
    with (
        running(settings, names=("events",)) as suite,
        grpc.insecure_channel(target(suite.settings, "events")) as channel,
    ):
        record = events_pb2_grpc.EventsServiceStub(channel).RecordEvents
        for batch in batches:
            request = events_pb2.RecordEventsRequest(events=event_messages(batch))
            try:
                record(request, timeout=20)
            except grpc.RpcError as error:
                assert_is_full(error)
                refused.append(batch)
        assert 0 < len(refused) < BATCHES
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        for batch in refused:
            request = events_pb2.RecordEventsRequest(events=event_messages(batch))
            assert record(request, timeout=20).recorded_count == len(batch)
        log = (small_disk / "run" / "events.log").read_text()
    assert log.count("writes fail") == log.count("writes succeed again") == 1
    with closing(SqliteEventStore(settings.events_path)) as store:
        found = assert_features_are_of_the_log(store)
    assert found == {event.event_id for batch in batches for event in batch}


def assert_is_full(error: grpc.RpcError) -> None:
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert error.details() == "events is not available: database or disk is full"
