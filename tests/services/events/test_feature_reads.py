"""Features as the service tells them, now and of past times."""

import grpc.aio
import numpy as np

from libs.domain.event import DAY_MS
from libs.features.event_columns import from_events
from libs.features.profile_state import EMPTY, replay
from libs.features.title_replay import TitleReplay
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.title_features_client import TitleFeaturesClient
from tests.made_events import START_MS, assert_same_state
from tests.services.events.made_service import EVENTS, NOW_MS, TENANT, Stub, record


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
