"""What the service records and tells, on both stores of one machine."""

import asyncio
import base64
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import grpc.aio
import pytest

from libs.domain.consent import Consent
from libs.domain.decision import Decision
from libs.domain.event import DAY_MS, EventKind
from libs.domain.profile import Profile
from libs.faults import BatchTooLarge, InvalidField, PartUnavailable
from libs.features.profile_state import replay
from libs.serving.channels import call
from libs.serving.decision_codec import decision_message
from libs.serving.decoding import timestamp
from libs.serving.identity import EVERYBODY, enter
from libs.serving.profile_codec import profile_message
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.status import fault_of
from libs.storage.event_store import SqliteEventStore
from libs.storage.memory_event_store import MemoryEventStore
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import decode_event, event_message, event_messages
from services.events.group_commit import GroupCommit
from services.events.personal_records import PersonalRecords
from services.events.retraining import no_retraining
from services.events.servicer import EventsServicer
from tests.made_events import START_MS, assert_same_state, watch
from tests.services.events.made_service import (
    EVENTS,
    NOW_MS,
    TENANT,
    Stub,
    history,
    record,
    send,
    served,
)

MessageT = TypeVar("MessageT")


def token_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


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
    async with served(store) as channel:
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
