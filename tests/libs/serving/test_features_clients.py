"""Both clients of the feature store over a real server that answers what the test says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest

from libs.domain.profile import Profile
from libs.faults import PartUnavailable
from libs.features import profile_state
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.title_counters import TITLE_COUNTER_COUNT, TITLE_COUNTER_NAMES
from libs.serving.application import Application, Mounted, Readiness
from libs.serving.channels import open_channel
from libs.serving.decoding import timestamp
from libs.serving.identity import as_everybody
from libs.serving.packed import pack_float32
from libs.serving.profile_codec import profile_message
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.server import running
from libs.serving.title_features_client import TitleFeaturesClient
from reprise.events.v1 import events_pb2

AS_OF_MS = 1_760_000_000_123
NAME = "reprise.events.v1.EventsService"
COUNTERS = np.arange(2 * TITLE_COUNTER_COUNT, dtype=np.float32).reshape(2, -1)
HALVES = (COUNTERS / 2).astype(np.float32)


@dataclass
class Events:
    """Answers the two reads of features and keeps what it was asked."""

    titles: events_pb2.GetTitleFeaturesResponse = field(
        default_factory=lambda: events_pb2.GetTitleFeaturesResponse(
            title_ids=["t1", "t2"],
            counters=pack_float32(COUNTERS),
            country_counters=pack_float32(HALVES),
            counter_names=TITLE_COUNTER_NAMES,
            freshness=events_pb2.Freshness(as_of=timestamp(AS_OF_MS)),
            feature_schema_version=FEATURE_SCHEMA_VERSION,
        )
    )
    profiles: events_pb2.GetProfileFeaturesResponse = field(
        default_factory=lambda: events_pb2.GetProfileFeaturesResponse(
            feature_schema_version=FEATURE_SCHEMA_VERSION
        )
    )
    asked: list[Any] = field(default_factory=list)

    async def title_features(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        return self.titles

    async def profile_features(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        return self.profiles

    def mount(self, server: grpc.aio.Server) -> None:
        write = events_pb2.GetTitleFeaturesResponse.SerializeToString
        server.add_registered_method_handlers(
            NAME,
            {
                "GetTitleFeatures": grpc.unary_unary_rpc_method_handler(
                    self.title_features, events_pb2.GetTitleFeaturesRequest.FromString, write
                ),
                "GetProfileFeatures": grpc.unary_unary_rpc_method_handler(
                    self.profile_features, events_pb2.GetProfileFeaturesRequest.FromString, write
                ),
            },
        )


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
async def channel(events: Events) -> AsyncIterator[grpc.aio.Channel]:
    async def build(readiness: Readiness) -> Application:
        return Application((Mounted(NAME, events.mount),), authorize=as_everybody)

    async with running(build) as server, open_channel(f"127.0.0.1:{server.port}") as opened:
        yield opened


async def test_a_title_table_arrives_as_it_was_sent(
    events: Events, channel: grpc.aio.Channel
) -> None:
    table = await TitleFeaturesClient(channel).title_table(
        "default", as_of_ms=AS_OF_MS, country="PT", timeout_s=5
    )
    assert events.asked[0].as_of == timestamp(AS_OF_MS)
    assert (table.as_of_ms, table.title_ids) == (AS_OF_MS, ("t1", "t2"))
    assert table.counters.tobytes() == COUNTERS.tobytes()
    assert table.country_counters["PT"].tobytes() == HALVES.tobytes()


async def test_without_a_country_there_are_no_counters_of_one(
    events: Events, channel: grpc.aio.Channel
) -> None:
    events.titles.ClearField("country_counters")
    table = await TitleFeaturesClient(channel).title_table(
        "default", as_of_ms=None, country="", timeout_s=5
    )
    assert not events.asked[0].HasField("as_of")
    assert table.country_counters == {}


@pytest.mark.parametrize(
    "change",
    [
        {"feature_schema_version": FEATURE_SCHEMA_VERSION + 1},
        {"counter_names": ["something_else"]},
        {"counters": b"\0" * 12},
    ],
)
async def test_a_table_made_by_other_definitions_is_not_taken(
    events: Events, channel: grpc.aio.Channel, change: dict[str, Any]
) -> None:
    for name in change:
        events.titles.ClearField(name)  # type: ignore[arg-type]  # a name known only at run time
    events.titles.MergeFrom(events_pb2.GetTitleFeaturesResponse(**change))
    with pytest.raises(PartUnavailable, match="title features"):
        await TitleFeaturesClient(channel).title_table(
            "default", as_of_ms=AS_OF_MS, country="PT", timeout_s=5
        )


async def test_an_unknown_profile_has_no_profile_and_empty_features(
    channel: grpc.aio.Channel,
) -> None:
    profile, state = await ProfileFeaturesClient(channel).profile_features(
        "default", "p1", as_of_ms=AS_OF_MS, timeout_s=5
    )
    assert profile is None
    assert state.title_ids == ()


async def test_a_stored_profile_arrives_with_its_features(
    events: Events, channel: grpc.aio.Channel
) -> None:
    stored = Profile("p1", "a1", True, 12, "PT", ("pt", "en"), "Europe/Lisbon")
    sent = profile_state.EMPTY
    events.profiles.profile.CopyFrom(profile_message(stored))
    events.profiles.features.profile_counters = profile_state.encode_profile_counters(sent)
    profile, state = await ProfileFeaturesClient(channel).profile_features(
        "default", "p1", as_of_ms=None, timeout_s=5
    )
    assert profile == stored
    assert state.counters.values.tobytes() == sent.counters.values.tobytes()
    assert not events.asked[0].HasField("as_of")


async def test_features_made_by_other_definitions_are_not_taken(
    events: Events, channel: grpc.aio.Channel
) -> None:
    events.profiles.feature_schema_version += 1
    with pytest.raises(PartUnavailable, match="feature schema"):
        await ProfileFeaturesClient(channel).profile_features(
            "default", "p1", as_of_ms=None, timeout_s=5
        )
