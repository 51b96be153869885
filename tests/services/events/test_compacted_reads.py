"""What the service tells of compacted events, of days and of the age of what is read."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from libs.domain.event import DAY_MS
from libs.faults import HistoryCompacted, InvalidField
from libs.features.profile_state import replay
from libs.serving.channels import call
from libs.serving.decoding import timestamp
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.title_features_client import TitleFeaturesClient
from libs.storage.compaction import FIRST
from reprise.events.v1 import events_pb2
from tests.made_events import START_MS, assert_same_state, impression, watch
from tests.services.events.made_service import Store, Stub, served

NOW_MS = START_MS + 200 * DAY_MS
UNTIL_MS = START_MS // DAY_MS * DAY_MS + 5 * DAY_MS
TENANT = "default"

# One title a day for ten days, and a sight that has expired meanwhile.
EVENTS = [
    *(watch(f"e{n}", START_MS + n * DAY_MS, title_id=f"title{n % 2}") for n in range(10)),
    impression("shown", START_MS, title_id="only-shown"),
]


@pytest.fixture
async def channel(store: Store) -> AsyncIterator[grpc.aio.Channel]:
    store.record_events(TENANT, EVENTS, NOW_MS)
    store.compact(UNTIL_MS, FIRST)
    async with served(store, NOW_MS) as opened:
        yield opened


async def days(stub: Stub, **fields: object) -> events_pb2.ListWatchedDaysResponse:
    request = events_pb2.ListWatchedDaysRequest(**{"profile_id": "profile0", **fields})  # type: ignore[arg-type]  # by name
    return await call("events", stub.ListWatchedDays, request, timeout_s=5)


async def test_history_says_up_to_when_events_are_compacted(stub: Stub) -> None:
    request = events_pb2.ListHistoryRequest(profile_id="profile0")
    answer = await call("events", stub.ListHistory, request, timeout_s=5)
    assert [event.event_id for event in answer.events] == ["e9", "e8", "e7", "e6", "e5"]
    assert answer.compacted_until == timestamp(UNTIL_MS)


async def test_a_time_before_what_is_compacted_is_refused(
    stub: Stub, channel: grpc.aio.Channel
) -> None:
    request = events_pb2.ListHistoryRequest(profile_id="profile0", as_of=timestamp(UNTIL_MS - 1))
    with pytest.raises(HistoryCompacted) as caught:
        await call("events", stub.ListHistory, request, timeout_s=5)
    assert caught.value.metadata["compacted_until_ms"] == str(UNTIL_MS)
    with pytest.raises(HistoryCompacted):
        await ProfileFeaturesClient(channel).profile_features(
            TENANT, "profile0", as_of_ms=UNTIL_MS - 1, timeout_s=5
        )
    with pytest.raises(HistoryCompacted):
        await TitleFeaturesClient(channel).title_table(
            TENANT, as_of_ms=UNTIL_MS - 1, country="", timeout_s=5
        )
    _, state = await ProfileFeaturesClient(channel).profile_features(
        TENANT, "profile0", as_of_ms=START_MS + 8 * DAY_MS, timeout_s=5
    )
    assert_same_state(state, replay([*EVENTS[:9], EVENTS[-1]]))


async def test_days_page_through_a_whole_life(stub: Stub) -> None:
    whole = await days(stub)
    assert whole.next_page_token == ""
    assert [day.day for day in whole.days] == [
        "2023-11-14", "2023-11-15", "2023-11-16", "2023-11-17", "2023-11-18",
        "2023-11-19", "2023-11-20", "2023-11-21", "2023-11-22", "2023-11-23",
    ]  # fmt: skip
    assert sum(day.watched_ms for day in whole.days) == 50_000
    assert all(len(day.hours_ms) == 24 for day in whole.days)
    paged: list[events_pb2.WatchedDay] = []
    token = ""
    while not paged or token:
        answer = await days(stub, page_size=3, page_token=token)
        paged.extend(answer.days)
        token = answer.next_page_token
    assert paged == list(whole.days)
    some = await days(stub, first_day="2023-11-16", last_day="2023-11-17")
    assert list(some.days) == list(whole.days[2:4])
    assert list((await days(stub, profile_id="nobody")).days) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"page_size": 5_001}, "page_size"),
        ({"page_token": "x"}, "page_token"),
        ({"page_token": "WzFd"}, "page_token"),
        ({"first_day": "yesterday"}, "first_day"),
        ({"last_day": "2023-02-30"}, "last_day"),
        ({"profile_id": ""}, "profile_id"),
    ],
)
async def test_a_bad_question_about_days_is_named(
    stub: Stub, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        await days(stub, **fields)
    assert caught.value.field == field


async def test_features_of_a_profile_say_how_old_they_are(stub: Stub) -> None:
    request = events_pb2.GetProfileFeaturesRequest(profile_id="profile0")
    answer = await call("events", stub.GetProfileFeatures, request, timeout_s=5)
    newest_ms = START_MS + 9 * DAY_MS
    assert answer.freshness.as_of == timestamp(NOW_MS)
    assert answer.freshness.newest_event == timestamp(newest_ms)
    assert answer.freshness.age_ms == NOW_MS - newest_ms
    # The sight has expired, and there was nothing else.
    assert list(answer.features.title_ids) == ["title0", "title1"]
    request.as_of.CopyFrom(timestamp(UNTIL_MS))
    then = await call("events", stub.GetProfileFeatures, request, timeout_s=5)
    assert then.freshness.as_of == timestamp(UNTIL_MS)
    assert then.freshness.age_ms == UNTIL_MS - (START_MS + 4 * DAY_MS)
    assert list(then.features.title_ids) == ["only-shown", "title0", "title1"]
    request = events_pb2.GetProfileFeaturesRequest(profile_id="nobody")
    nobody = await call("events", stub.GetProfileFeatures, request, timeout_s=5)
    assert nobody.freshness.as_of == timestamp(NOW_MS)
    assert not nobody.freshness.HasField("newest_event")
    assert not nobody.freshness.HasField("age_ms")


async def test_features_of_titles_say_how_old_they_are(stub: Stub) -> None:
    request = events_pb2.GetTitleFeaturesRequest()
    newest_ms = START_MS + 9 * DAY_MS
    answer = await call("events", stub.GetTitleFeatures, request, timeout_s=5)
    assert answer.freshness.as_of == timestamp(NOW_MS)
    assert answer.freshness.newest_event == timestamp(newest_ms)
    assert answer.freshness.age_ms == NOW_MS - newest_ms
    request.as_of.CopyFrom(timestamp(UNTIL_MS))
    then = await call("events", stub.GetTitleFeatures, request, timeout_s=5)
    assert then.freshness.newest_event == timestamp(START_MS + 4 * DAY_MS)
