"""The suite with its log in PostgreSQL and its features in Redis; any of them may die."""

import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc
import psycopg
import pytest
import redis
from pydantic import SecretStr

from cli.console import Output
from cli.events.export import export
from cli.events.tail import tail
from cli.suite import Suite, target, with_free_ports
from libs.domain.event import Event, EventKind, Thumb, ThumbDirection
from libs.domain.identifiers import DEFAULT_TENANT
from libs.features.profile_state import ProfileState, replay
from libs.serving.settings import SuiteSettings
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.identities import open_identities
from libs.storage.redis.keys import profile_key
from libs.storage.redis.profile_hash import decode_hash
from reprise.common.v1 import purpose_pb2
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from services.events.events_codec import event_messages
from tests.made_events import START_MS, assert_same_state, watch
from tests.made_servers import PostgresServer, RedisServer, running_postgres, running_redis
from tests.made_suite import fill

pytestmark = pytest.mark.end_to_end

WITHIN_S = 20.0
BACK_S = 5.0


@dataclass
class Running:
    suite: Suite
    postgres: PostgresServer
    redis: RedisServer

    def store(self) -> PostgresEventStore:
        """Another replica's."""
        server = self.suite.settings.log_server
        assert server is not None
        identities = open_identities(server.keys_url, server.secret, may_make=False)
        return PostgresEventStore(server.url, identities)

    @property
    def log_url(self) -> str:
        return self.suite.settings.events_url.get_secret_value()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Running]:
    with running_postgres() as postgres, running_redis() as redis_server:
        settings = SuiteSettings(
            home=tmp_path,
            events_url=SecretStr(postgres.url()),
            features_url=SecretStr(redis_server.url()),
        )
        fill(tmp_path, DEFAULT_TENANT, "")
        suite = Suite(with_free_ports(settings))
        try:
            suite.start()
            suite.wait_ready()
            yield Running(suite, postgres, redis_server)
        finally:
            suite.stop()


def until(condition: Callable[[], bool], *, within_s: float = WITHIN_S) -> float:
    """Wait for it; returns how many seconds it took."""
    begin = time.monotonic()
    while not condition():
        spent_s = time.monotonic() - begin
        assert spent_s < within_s
        threading.Event().wait(0.01)
    return time.monotonic() - begin


def thumb_down(title_id: str, occurred_ms: int) -> Event:
    return Event(
        f"down {title_id}", "viewer", EventKind.THUMB, occurred_ms, title_id=title_id,
        detail=Thumb(ThumbDirection.DOWN),
    )  # fmt: skip


def request_of(events: list[Event]) -> events_pb2.RecordEventsRequest:
    return events_pb2.RecordEventsRequest(events=event_messages(events))


class Asker:
    """Records and asks over one channel to each service."""

    def __init__(self, suite: Suite) -> None:
        self._channels = [
            grpc.insecure_channel(target(suite.settings, name)) for name in ("events", "ranking")
        ]
        self.events = events_pb2_grpc.EventsServiceStub(self._channels[0])
        self._ranking = ranking_pb2_grpc.RankingServiceStub(self._channels[1])

    def slate(self) -> tuple[list[str], set[str]]:
        """The titles for the viewer, and what the answer was made without."""
        answer = self._ranking.Recommend(
            ranking_pb2.RecommendRequest(profile_id="viewer", limit=20), timeout=5
        )
        degraded = {purpose_pb2.Part.Name(part) for part in answer.degraded}
        return list(answer.title_ids), degraded

    def is_whole(self) -> bool:
        return not self.slate()[1]

    def record(self, *events: Event) -> int:
        answer = self.events.RecordEvents(request_of(list(events)), timeout=5)
        return int(answer.recorded_count)

    def close(self) -> None:
        for channel in self._channels:
            channel.close()


def test_what_is_recorded_is_felt_and_the_loss_of_either_server_is_named(
    servers: Running,
) -> None:
    now_ms = time.time_ns() // 1_000_000
    with closing(Asker(servers.suite)) as asker:
        until(asker.is_whole)
        disliked = asker.slate()[0][0]
        assert asker.record(thumb_down(disliked, now_ms)) == 1
        assert asker.record(thumb_down(disliked, now_ms)) == 0
        until(lambda: disliked not in asker.slate()[0])

        # Redis dies and comes back empty: named meanwhile, then rebuilt from the log.
        servers.redis.kill()
        until(lambda: "PART_FEATURES" in asker.slate()[1])
        servers.redis.start()
        until(asker.is_whole)
        assert disliked not in asker.slate()[0]

        # Without the log nothing is acknowledged, and features are still there.
        servers.postgres.kill()
        other = asker.slate()[0][0]
        with pytest.raises(grpc.RpcError) as refused:
            asker.record(thumb_down(other, now_ms))
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        titles, degraded = asker.slate()
        assert disliked not in titles
        assert degraded <= {"PART_EVENTS"}
        servers.postgres.start()
        until(lambda: _is_recorded(asker, thumb_down(other, now_ms)), within_s=BACK_S)
        until(lambda: other not in asker.slate()[0])


def _is_recorded(asker: Asker, event: Event) -> bool:
    try:
        asker.record(event)
    except grpc.RpcError:
        return False
    return True


class Writer:
    """Sends batch after batch, each again and again until it is acknowledged."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged: list[Event] = []

    def _run(self) -> None:
        number = 0
        while not self._is_over.is_set():
            batch = [
                watch(
                    f"{number}.{place}",
                    START_MS + number * 1_000 + place,
                    profile_id=f"profile{place % 7}",
                    title_id=f"title{(number + place) % 11}",
                )
                for place in range(20)
            ]
            while not self._is_recorded(batch):
                pass
            self.acknowledged.extend(batch)
            number += 1

    def _is_recorded(self, batch: list[Event]) -> bool:
        try:
            self._asker.events.RecordEvents(request_of(batch), timeout=2, wait_for_ready=True)
        except grpc.RpcError:
            return self._is_over.is_set()
        return True

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()


def test_nothing_acknowledged_is_lost_whoever_is_killed(
    servers: Running, request: pytest.FixtureRequest
) -> None:
    rng = random.Random(5)

    def kill_events() -> None:
        servers.suite.stop_one("events", with_signal=signal.SIGKILL)
        servers.suite.start_one("events")

    def kill_postgres() -> None:
        servers.postgres.kill()
        servers.postgres.start()

    def kill_redis() -> None:
        servers.redis.kill()
        servers.redis.start()

    count = int(request.config.getoption("server_kills"))
    victims = [kill_events, kill_postgres, kill_redis] * -(-count // 3)
    with closing(Asker(servers.suite)) as asker, Writer(asker) as writer:
        until(lambda: len(writer.acknowledged) > 100)
        for kill in victims[:count]:
            threading.Event().wait(rng.uniform(0.1, 0.6))
            kill()
            before = len(writer.acknowledged)
            until(lambda: len(writer.acknowledged) > before + 20, within_s=BACK_S)  # noqa: B023
    with psycopg.connect(servers.log_url) as connection:
        rows = connection.execute("SELECT event_id FROM events").fetchall()
    found = [event_id for (event_id,) in rows]
    assert len(found) == len(set(found))
    assert {event.event_id for event in writer.acknowledged} <= set(found)
    with closing(servers.store()) as store:
        until(lambda: all(_is_up_to_date(servers, store, place) for place in range(7)))
        for place in range(7):
            events = store.history(DEFAULT_TENANT, f"profile{place}", most=1_000_000)
            assert_same_state(_held(servers, place), replay(events))


def _held(servers: Running, place: int) -> ProfileState:
    with redis.Redis.from_url(servers.redis.url()) as client:
        fields = client.hgetall(profile_key(DEFAULT_TENANT, f"profile{place}"))
    return decode_hash(cast("dict[bytes, bytes]", fields))[1]


def _is_up_to_date(servers: Running, store: PostgresEventStore, place: int) -> bool:
    newest = store.history(DEFAULT_TENANT, f"profile{place}", most=1)
    return _held(servers, place).newest_ms == newest[0].occurred_ms


def test_a_profile_is_forgotten_by_log_features_and_services(
    servers: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, output = servers.suite.settings, Output.open(as_json=True)
    forget = events_pb2.EraseProfileRequest(profile_id="viewer")
    with closing(Asker(servers.suite)) as asker:
        until(asker.is_whole)
        now_ms = time.time_ns() // 1_000_000
        kept = watch("kept", now_ms, profile_id="other")
        asker.record(*(thumb_down(f"title{place}", now_ms) for place in range(5)), kept)
        tail(settings, output, tenant=DEFAULT_TENANT, most=6, is_followed=False)
        assert len(json.loads(capsys.readouterr().out)["events"]) == 6
        until(lambda: _is_held(servers, "viewer"))

        servers.redis.kill()
        assert not asker.events.EraseProfile(forget, timeout=5).is_complete
        assert not asker.record(thumb_down("title9", now_ms))
        servers.redis.start()
        until(lambda: bool(asker.events.EraseProfile(forget, timeout=5).is_complete))
        receipt = asker.events.EraseProfile(forget, timeout=5)
        assert receipt.event_count == 5
        assert {one.service for one in receipt.services} == {"features", "ranking", "recap"}
        assert not asker.record(thumb_down("title9", now_ms))
        assert not _is_held(servers, "viewer")
        exported = export(settings, tmp_path / "out", DEFAULT_TENANT, 2, output)
        tail(settings, output, tenant=DEFAULT_TENANT, most=6, is_followed=False)
        shown = json.loads(capsys.readouterr().out)["events"]
    assert exported.event_count == 1
    assert [event["profile_id"] for event in shown] == ["other"]


def _is_held(servers: Running, profile_id: str) -> bool:
    with redis.Redis.from_url(servers.redis.url()) as client:
        return bool(client.exists(profile_key(DEFAULT_TENANT, profile_id)))
