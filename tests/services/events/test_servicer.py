"""The events service in this process: real server, real channel, both stores."""

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias, TypeVar, cast

import grpc.aio
import numpy as np
import pytest

from libs.domain.consent import Consent
from libs.domain.decision import Decision
from libs.domain.event import DAY_MS, Event, EventKind
from libs.domain.profile import Profile
from libs.faults import BatchTooLarge, InvalidField, PartUnavailable
from libs.features.event_columns import from_events
from libs.features.profile_state import EMPTY, replay
from libs.features.title_replay import TitleReplay
from libs.serving.channels import call, open_channel
from libs.serving.decision_codec import decision_message
from libs.serving.decoding import timestamp
from libs.serving.identity import EVERYBODY, as_everybody, enter
from libs.serving.profile_codec import profile_message
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.server import running
from libs.serving.status import fault_of
from libs.serving.title_features_client import TitleFeaturesClient
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.__main__ import ClosableStore, assemble
from services.events.events_codec import decode_event, event_message, event_messages
from services.events.group_commit import GroupCommit
from services.events.personal_records import PersonalRecords
from services.events.retraining import no_retraining
from services.events.servicer import EventsServicer
from tests.made_events import START_MS, assert_same_state, impression, watch

MessageT = TypeVar("MessageT")
NOW_MS = START_MS + 100 * DAY_MS
TENANT = "default"

EVENTS = [
    watch("a", START_MS, country="DE"),
    watch("b", START_MS + DAY_MS, title_id="x", country="DE"),
    impression("c", START_MS + 2 * DAY_MS, title_id="x"),
]


@pytest.fixture(params=["memory", "sqlite"])
async def channel(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[grpc.aio.Channel]:
    store: ClosableStore = (
        MemoryEventStore()
        if request.param == "memory"
        else SqliteEventStore(tmp_path / "events.sqlite")
    )
    async with (
        running(
            lambda ready: assemble(
                store, ready, authorize=as_everybody, most_waiting=10_000, clock=lambda: NOW_MS
            )
        ) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "Stub":
    return events_pb2_grpc.EventsServiceStub(channel)


Stub: TypeAlias = "events_pb2_grpc.EventsServiceAsyncStub"


async def record(stub: Stub, events: list[Event]) -> events_pb2.RecordEventsResponse:
    return await send(stub, event_messages(events))


async def send(stub: Stub, messages: list[events_pb2.Event]) -> events_pb2.RecordEventsResponse:
    request = events_pb2.RecordEventsRequest(events=messages)
    return await call("events", stub.RecordEvents, request, timeout_s=5)


def token_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


async def history(stub: Stub, **fields: object) -> events_pb2.ListHistoryResponse:
    request = events_pb2.ListHistoryRequest(profile_id="profile0", **fields)  # type: ignore[arg-type]  # by name
    return await call("events", stub.ListHistory, request, timeout_s=5)


async def test_acknowledged_is_visible_and_counted_once(
    stub: Stub, channel: grpc.aio.Channel
) -> None:
    features = ProfileFeaturesClient(channel)
    first = await record(stub, EVENTS[:2])
    assert (first.recorded_count, first.duplicate_count) == (2, 0)
    again = await record(stub, EVENTS)
    assert (again.recorded_count, again.duplicate_count) == (1, 2)
    profile, state = await features.profile_features(TENANT, "profile0", as_of_ms=None, timeout_s=5)
    assert profile is None
    assert_same_state(state, replay(EVENTS))


async def test_a_past_profile_is_that_of_then(stub: Stub, channel: grpc.aio.Channel) -> None:
    features = ProfileFeaturesClient(channel)
    await record(stub, EVENTS)
    for as_of_ms in (START_MS - 1, START_MS, START_MS + DAY_MS):
        _, state = await features.profile_features(
            TENANT, "profile0", as_of_ms=as_of_ms, timeout_s=5
        )
        earlier = [event for event in EVENTS if event.occurred_ms <= as_of_ms]
        assert_same_state(state, replay(earlier))


async def test_an_unknown_profile_has_empty_features(channel: grpc.aio.Channel) -> None:
    found = await ProfileFeaturesClient(channel).profile_features(
        TENANT, "nobody", as_of_ms=None, timeout_s=5
    )
    assert found[0] is None
    assert_same_state(found[1], EMPTY)


async def test_title_features_of_a_past_time_are_those_of_a_replay(
    stub: Stub, channel: grpc.aio.Channel
) -> None:
    await record(stub, EVENTS)
    as_of_ms = START_MS + DAY_MS + 7
    found = await TitleFeaturesClient(channel).title_table(
        TENANT, as_of_ms=as_of_ms, country="DE", timeout_s=5
    )
    wanted = TitleReplay(
        lambda after, to: from_events(event for event in EVENTS if after < event.occurred_ms <= to)
    ).table(as_of_ms)
    assert found.as_of_ms == as_of_ms
    assert found.title_ids == wanted.title_ids == ("title0", "x")
    np.testing.assert_array_equal(found.counters, wanted.counters)
    np.testing.assert_array_equal(found.country_counters["DE"], wanted.country_counters["DE"])


async def test_title_features_now_are_decayed_to_the_clock(
    stub: Stub, channel: grpc.aio.Channel
) -> None:
    await record(stub, EVENTS)
    client = TitleFeaturesClient(channel)
    found = await client.title_table(TENANT, as_of_ms=None, country="", timeout_s=5)
    assert found.as_of_ms == NOW_MS
    assert found.counters[0, 3] == 0.5
    assert found.country_counters == {}
    elsewhere = await client.title_table(TENANT, as_of_ms=None, country="NZ", timeout_s=5)
    assert not elsewhere.country_counters["NZ"].any()


async def test_a_stream_is_acknowledged_batch_by_batch(stub: Stub) -> None:
    late = [watch(str(place), START_MS + place) for place in range(700)]
    ahead = watch("ahead", NOW_MS + 2 * DAY_MS)

    async def batches() -> AsyncIterator[events_pb2.StreamEventsRequest]:
        for start in (0, 350):
            events = event_messages(late[start : start + 350])
            yield events_pb2.StreamEventsRequest(events=events, backfill=start == 0)
            yield events_pb2.StreamEventsRequest(events=[*events[:5], event_message(ahead)])

    answers = [answer async for answer in stub.StreamEvents(batches(), timeout=20)]
    assert [answer.batch_index for answer in answers] == [0, 1, 2, 3]
    assert [answer.recorded_count for answer in answers] == [350, 0, 350, 0]
    assert [answer.total_recorded_count for answer in answers] == [350, 350, 700, 700]
    assert [list(answer.duplicate_indexes) for answer in answers] == [[], [*range(5)]] * 2
    assert [len(answer.late_indexes) for answer in answers] == [0, 0, 350, 0]
    assert [one.index for answer in answers for one in answer.rejections] == [5, 5]
    last = answers[-1]
    assert (last.total_duplicate_count, last.total_rejected_count) == (10, 2)


async def test_an_acknowledgement_comes_before_the_next_batch_is_sent(stub: Stub) -> None:
    stream = stub.StreamEvents(timeout=20)
    for place, event in enumerate(EVENTS):
        await stream.write(events_pb2.StreamEventsRequest(events=event_messages([event])))
        answer = await stream.read()
        assert isinstance(answer, events_pb2.StreamEventsResponse)
        assert answer.batch_index == place
        assert len((await history(stub)).events) == place + 1
    await stream.done_writing()


async def test_what_a_broken_stream_had_acknowledged_stays(stub: Stub) -> None:
    async def batches() -> AsyncIterator[events_pb2.StreamEventsRequest]:
        yield events_pb2.StreamEventsRequest(events=event_messages(EVENTS[:1]))
        yield events_pb2.StreamEventsRequest()

    stream = stub.StreamEvents(batches(), timeout=20)
    first = await stream.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    fault = fault_of("events", caught.value)
    assert isinstance(fault, InvalidField)
    assert fault.field == "events"
    assert isinstance(first, events_pb2.StreamEventsResponse)
    assert first.recorded_count == 1
    assert len((await history(stub)).events) == 1


async def test_one_bad_event_of_500_is_explained_and_499_are_accepted(stub: Stub) -> None:
    messages = event_messages([watch(str(place), NOW_MS - place) for place in range(500)])
    messages[123].rating.CopyFrom(events_pb2.Rating(value=1, scale=5))
    answer = await send(stub, messages)
    assert answer.recorded_count == 499
    [rejection] = answer.rejections
    assert rejection.index == 123
    assert rejection.reason == events_pb2.REJECTION_REASON_WRONG_DETAIL
    assert rejection.field == "detail"
    assert rejection.problem == "PROGRESS needs WatchedInterval"
    assert not answer.late_indexes
    again = await send(stub, messages)
    assert (again.recorded_count, again.duplicate_count) == (0, 499)
    assert [one.index for one in again.rejections] == [123]
    assert list(again.duplicate_indexes) == [place for place in range(500) if place != 123]


async def test_what_the_store_refuses_keeps_its_place_among_what_cannot_be_read(
    stub: Stub,
) -> None:
    messages = event_messages(
        [watch("a", 0), watch("b", NOW_MS + 2 * DAY_MS), watch("c", 0), watch("c", 0)]
    )
    unknown = events_pb2.Event()
    unknown.CopyFrom(messages[0])
    unknown.kind = events_pb2.EventKind.ValueType(99)
    answer = await send(stub, [unknown, *messages])
    assert [(one.index, one.reason) for one in answer.rejections] == [
        (0, events_pb2.REJECTION_REASON_UNKNOWN_KIND),
        (2, events_pb2.REJECTION_REASON_AHEAD),
    ]
    assert list(answer.duplicate_indexes) == [4]
    assert list(answer.late_indexes) == [1, 3]
    nothing = await send(stub, [unknown])
    assert (nothing.recorded_count, len(nothing.rejections)) == (0, 1)


async def test_too_many_events_are_refused_and_the_limit_is_named(stub: Stub) -> None:
    one = event_message(watch("a", START_MS))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.RecordEvents(events_pb2.RecordEventsRequest(events=[one] * 5_001), timeout=20)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    fault = fault_of("events", caught.value)
    assert isinstance(fault, BatchTooLarge)
    assert fault.metadata == {"field": "events", "most": "5000", "given": "5001"}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.RecordEvents(events_pb2.RecordEventsRequest(events=[one] * 100_000), timeout=20)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "4194304" in str(caught.value.details())
    assert not (await history(stub)).events


async def test_a_full_disk_refuses_what_it_cannot_keep_and_takes_it_later(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "events.sqlite")
    connection = store._writer.connection
    (page_count,) = connection.execute("PRAGMA page_count").fetchone()
    batches = [
        [watch(f"{number}-{one}", NOW_MS, title_id=f"t{number}-{one}") for one in range(50)]
        for number in range(20)
    ]
    async with (
        running(
            lambda ready: assemble(
                store, ready, authorize=as_everybody, most_waiting=10_000, clock=lambda: NOW_MS
            )
        ) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        stub = events_pb2_grpc.EventsServiceStub(channel)
        connection.execute(f"PRAGMA max_page_count = {page_count + 60}")
        outcomes = [
            (await asyncio.gather(record(stub, batch), return_exceptions=True))[0]
            for batch in batches
        ]
        faults = [one for one in outcomes if isinstance(one, BaseException)]
        assert 0 < len(faults) < len(batches)
        for fault in faults:
            assert isinstance(fault, PartUnavailable)
            assert "UNAVAILABLE: events is not available: database or disk is full" in str(fault)
        acknowledged = [
            event.event_id
            for batch, outcome in zip(batches, outcomes, strict=True)
            if not isinstance(outcome, BaseException)
            for event in batch
        ]
        found = await history(stub, page_size=1_000)
        assert sorted(event.event_id for event in found.events) == sorted(acknowledged)
        connection.execute(f"PRAGMA max_page_count = {page_count + 10_000}")
        again = [await record(stub, batch) for batch in batches]
        assert sum(answer.recorded_count for answer in again) == 50 * len(faults)
        state = store.profile_state(TENANT, "profile0", None)
        assert_same_state(state, replay(store.history(TENANT, "profile0", most=9_999)))


async def test_history_pages_newest_first(stub: Stub) -> None:
    await record(stub, EVENTS)
    first = await history(stub, page_size=2)
    assert [event.event_id for event in first.events] == ["c", "b"]
    rest = await history(stub, page_size=2, page_token=first.next_page_token)
    assert [event.event_id for event in rest.events] == ["a"]
    assert rest.next_page_token == ""
    filtered = await history(
        stub, title_id="x", kinds=[events_pb2.EVENT_KIND_PROGRESS], as_of=timestamp(NOW_MS)
    )
    assert [decode_event(event) for event in filtered.events] == [EVENTS[1]]
    often = await history(stub, kinds=[events_pb2.EVENT_KIND_IMPRESSION] * len(EventKind))
    assert [event.event_id for event in often.events] == ["c"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"page_size": -1}, "page_size"),
        ({"page_size": 1_001}, "page_size"),
        ({"page_token": "x"}, "page_token"),
        ({"page_token": token_of(r'[1, 0, "\ud800"]')}, "page_token"),
        ({"kinds": [0]}, "kinds"),
        ({"kinds": [events_pb2.EVENT_KIND_PLAY] * 23}, "kinds"),
        ({"as_of": timestamp(NOW_MS + 2 * DAY_MS)}, "as_of"),
        ({"profile_id": ""}, "profile_id"),
    ],
)
async def test_a_bad_question_is_named(stub: Stub, fields: dict[str, object], field: str) -> None:
    request = events_pb2.ListHistoryRequest(**{"profile_id": "p", **fields})  # type: ignore[arg-type]  # by name
    with pytest.raises(InvalidField) as caught:
        await call("events", stub.ListHistory, request, timeout_s=5)
    assert caught.value.field == field


async def test_impressions_tell_what_their_decision_said(stub: Stub) -> None:
    decision = Decision("page0", "profile0", START_MS, "explore", ("x",), (0.25,))
    request = events_pb2.RecordDecisionsRequest(decisions=[decision_message(decision)] * 2)
    answer = await call("events", stub.RecordDecisions, request, timeout_s=5)
    assert answer.recorded_count == 1
    await record(stub, EVENTS)
    newest = (await history(stub, page_size=1)).events[0]
    assert newest.attribution.propensity == 0.25


async def test_profiles_are_kept(stub: Stub, channel: grpc.aio.Channel) -> None:
    profiles = [
        Profile("profile0", country="DE", maturity_limit_years=0),
        Profile("b", refused_consents=frozenset(Consent)),
    ]
    upsert = events_pb2.UpsertProfilesRequest(profiles=[profile_message(p) for p in profiles])
    answer = await call("events", stub.UpsertProfiles, upsert, timeout_s=5)
    assert answer.upserted_count == 2
    get = events_pb2.GetProfilesRequest(profile_ids=["b", "x", "profile0"])
    found = await call("events", stub.GetProfiles, get, timeout_s=5)
    assert list(found.profiles) == [profile_message(p) for p in reversed(profiles)]
    profile, _ = await ProfileFeaturesClient(channel).profile_features(
        TENANT, "profile0", as_of_ms=None, timeout_s=5
    )
    assert profile == profiles[0]


class ReadBy(list[MessageT]):
    """Messages that note which threads read them."""

    def __init__(self, messages: Iterable[MessageT]) -> None:
        super().__init__(messages)
        self.threads: set[threading.Thread] = set()

    def __iter__(self) -> Iterator[MessageT]:
        self.threads.add(threading.current_thread())
        return super().__iter__()


async def test_only_small_batches_are_decoded_on_the_event_loop() -> None:
    with closing(MemoryEventStore()) as store:
        commits, context = GroupCommit(store, most_waiting=10_000), cast("Any", None)
        enter(EVERYBODY)
        servicer = EventsServicer(
            store,
            commits,
            lambda: NOW_MS,
            records=PersonalRecords(store, commits, (), lambda: NOW_MS),
            retraining_of=no_retraining,
        )
        page = Decision("page", "p", START_MS, "explore", ("x",), (1.0,))
        for method, field, message, few, many in (
            (servicer.RecordEvents, "events", event_messages(EVENTS)[0], 200, 201),
            (servicer.RecordDecisions, "decisions", decision_message(page), 10, 11),
            (servicer.UpsertProfiles, "profiles", profile_message(Profile("p")), 200, 201),
        ):
            for count, is_inline in ((few, True), (many, False)):
                messages = ReadBy([message] * count)
                request: Any = SimpleNamespace(**{field: messages})
                await method(request, context)
                assert (messages.threads == {threading.current_thread()}) is is_inline, field
                assert len(messages.threads) == 1
        await servicer.close()


async def test_one_bad_decision_does_not_hold_up_the_others(stub: Stub) -> None:
    good = [
        decision_message(Decision(page_id, "profile0", START_MS, "explore", ("x",), (0.25,)))
        for page_id in ("page0", "page1")
    ]
    bad = events_pb2.Decision(page_id="a")
    request = events_pb2.RecordDecisionsRequest(decisions=[good[0], bad, good[1], good[0]])
    answer = await call("events", stub.RecordDecisions, request, timeout_s=5)
    assert answer.recorded_count == 2
    assert list(answer.duplicate_indexes) == [3]
    assert [(one.index, one.field) for one in answer.rejections] == [(1, "decided_at")]


async def test_bad_profiles_are_named_with_their_place(stub: Stub) -> None:
    profiles = events_pb2.UpsertProfilesRequest(
        profiles=[
            events_pb2.Profile(profile_id="a"),
            events_pb2.Profile(profile_id="b", country="x"),
        ]
    )
    with pytest.raises(InvalidField) as caught:
        await call("events", stub.UpsertProfiles, profiles, timeout_s=5)
    assert caught.value.field == "profiles[1].country"
    ids = events_pb2.GetProfilesRequest(profile_ids=["a", ""])
    with pytest.raises(InvalidField) as caught:
        await call("events", stub.GetProfiles, ids, timeout_s=5)
    assert caught.value.field == "profile_ids[1]"
