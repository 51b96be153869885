"""Ingest through gRPC into a service that is killed again and again, and what must be left then."""

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import grpc
import numpy as np

from cli.event_stream import stream_events
from cli.suite import running, target, with_free_ports
from libs.domain.event import DAY_MS, Event, EventKind, Placement, Rating, Thumb, ThumbDirection
from libs.domain.viewing import ViewingContext
from libs.features.profile_state import replay
from libs.serving.settings import SuiteSettings
from libs.storage.event_store import SqliteEventStore
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import event_messages
from services.events.ports import EventStore
from tests.made_events import assert_same_state, watch

TENANT: Final = "default"
PROFILES: Final = 12
TITLES: Final = 30
CALLERS: Final = 4
BEGIN_MS: Final = 1_780_000_000_000
END_MS: Final = BEGIN_MS + 60 * DAY_MS
CALL_S: Final = 60.0


def made_events(seed: int, prefix: str = "e") -> Iterator[Event]:
    """Events without end, the same for a seed: few profiles and titles, in no order of time."""
    random = Random(seed)
    for number in itertools.count():
        event_id = f"{prefix}{number}"
        profile_id, title_id = f"p{random.randrange(PROFILES)}", f"t{random.randrange(TITLES)}"
        at_ms = random.randrange(BEGIN_MS, END_MS)
        context = ViewingContext(country=random.choice(("", "DE", "NZ")))
        match random.randrange(5):
            case 0:
                yield Event(
                    event_id, profile_id, EventKind.IMPRESSION, at_ms, title_id=title_id,
                    context=context, placement=Placement(f"page{number % 9}", 0, number % 5),
                )  # fmt: skip
            case 1:
                yield Event(
                    event_id, profile_id, EventKind.RATING, at_ms, title_id=title_id,
                    context=context, detail=Rating(random.randrange(6), 5.0),
                )  # fmt: skip
            case 2:
                yield Event(
                    event_id, profile_id, EventKind.THUMB, at_ms, title_id=title_id,
                    context=context, detail=Thumb(random.choice(tuple(ThumbDirection))),
                )  # fmt: skip
            case _:
                from_ms = random.randrange(9_000)
                yield watch(
                    event_id, at_ms, profile_id=profile_id, title_id=title_id, from_ms=from_ms,
                    to_ms=random.randrange(from_ms, 10_001), country=context.country,
                )  # fmt: skip


def assert_features_are_of_the_log(store: EventStore) -> set[str]:
    """Compare the stored features with a rebuild from the log; returns the ids that it holds."""
    ids: list[str] = []
    for number in range(PROFILES):
        events = store.history(TENANT, f"p{number}", most=10**6)
        ids += [event.event_id for event in events]
        assert_same_state(store.profile_state(TENANT, f"p{number}", None), replay(events))
    assert len(ids) == len(set(ids)), "an event is in the log twice"
    for country in ("DE", "NZ"):
        stored = store.title_table(TENANT, None, country, now_ms=END_MS)
        rebuilt = store.title_table(TENANT, END_MS, country, now_ms=END_MS)
        assert stored.title_ids == rebuilt.title_ids
        np.testing.assert_allclose(stored.counters, rebuilt.counters, rtol=1e-6)
        np.testing.assert_allclose(
            stored.country_counters.get(country, 0), rebuilt.country_counters.get(country, 0),
            rtol=1e-6,
        )  # fmt: skip
    return set(ids)


@dataclass
class Acknowledged:
    """What the service has said that it holds; threads add to it and one waits for more."""

    ids: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, batch: list[Event]) -> None:
        with self.changed:
            self.ids.update(event.event_id for event in batch)
            self.events += batch
            self.changed.notify_all()

    def wait_for(self, more: int) -> None:
        """Wait for that many more."""
        with self.changed:
            wanted = len(self.ids) + more
            assert self.changed.wait_for(lambda: len(self.ids) >= wanted, 60), "nothing is taken"


def call_until_over(
    where: str, seed: int, acknowledged: Acknowledged, is_over: threading.Event
) -> None:
    """Record batch after batch; one that fails is sent again, the same, until it is taken."""
    random, events = Random(seed), made_events(seed, f"c{seed}-")
    options = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200))
    with grpc.insecure_channel(where, options) as channel:
        record = events_pb2_grpc.EventsServiceStub(channel).RecordEvents
        while not is_over.is_set():
            batch = list(itertools.islice(events, random.choice((1, 1, 5, 100))))
            request = events_pb2.RecordEventsRequest(events=event_messages(batch))
            while True:
                try:
                    answer = record(request, timeout=CALL_S, wait_for_ready=True)
                except grpc.RpcError:
                    continue
                assert not answer.rejections
                break
            acknowledged.add(batch)


def stream_until_over(where: str, acknowledged: Acknowledged, is_over: threading.Event) -> None:
    """Stream batch after batch and resume where the stream breaks."""
    events, sent = made_events(99, "s"), list[Event]()

    def batches() -> Iterator[list[Event]]:
        while not is_over.is_set():
            sent.extend(itertools.islice(events, 50))
            yield sent[-50:]

    with grpc.insecure_channel(where, (("grpc.max_reconnect_backoff_ms", 200),)) as channel:
        streamed = stream_events(events_pb2_grpc.EventsServiceStub(channel), batches())
    assert streamed.recorded_count + streamed.duplicate_count >= len(sent)
    acknowledged.add(sent)


def ingest_and_kill(home: Path, *, kills: int, seed: int) -> list[float]:
    """Kill the events service at random moments of an ingest, `kills` times.

    Returns how long each restart took, in seconds; asserts that nothing acknowledged is lost,
    that nothing is there twice, and that the features are those of the log.
    """
    settings = with_free_ports(SuiteSettings(home=home))
    back_s, sent = kill_during_ingest(settings, kills=kills, seed=seed)
    acknowledged = {event.event_id for event in sent}
    with closing(SqliteEventStore(settings.events_path)) as store:
        found = assert_features_are_of_the_log(store)
    lost = acknowledged - found
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged events lost"
    # Everything was sent until it was acknowledged, so there is nothing else.
    assert found == acknowledged
    return back_s


def kill_during_ingest(
    settings: SuiteSettings,
    *,
    kills: int,
    seed: int,
    on_kill: Callable[[], None] = lambda: None,
) -> tuple[list[float], list[Event]]:
    """Kill the events service of `settings` at random moments of an ingest, `kills` times.

    `on_kill` is called each time, while the process is dead. Returns how long each restart took,
    in seconds, and the events: all of them were acknowledged.
    """
    random, acknowledged, is_over = Random(seed), Acknowledged(), threading.Event()
    back_s: list[float] = []
    with running(settings, names=("events",)) as suite:
        where = target(suite.settings, "events")
        threads = [
            threading.Thread(target=call_until_over, args=(where, one, acknowledged, is_over))
            for one in range(CALLERS)
        ]
        threads.append(
            threading.Thread(target=stream_until_over, args=(where, acknowledged, is_over))
        )
        for thread in threads:
            thread.start()
        try:
            for _ in range(kills):
                acknowledged.wait_for(random.randrange(1, 2_000))
                os.kill(suite.process("events").pid, signal.SIGKILL)
                suite.process("events").wait()
                on_kill()
                started = time.monotonic()
                suite.start_one("events")
                suite.wait_ready()
                back_s.append(time.monotonic() - started)
            acknowledged.wait_for(100)
        finally:
            is_over.set()
            for thread in threads:
                thread.join(CALL_S)
        assert not any(thread.is_alive() for thread in threads)
    return back_s, acknowledged.events
