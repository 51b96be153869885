"""A profile's features, asked from the events service: the way to those of a past time."""

from typing import Final

import grpc.aio

from libs.domain.profile import Profile
from libs.faults import PartUnavailable
from libs.features.profile_state import ProfileState, decode_state
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.serving.channels import call
from libs.serving.decoding import timestamp
from libs.serving.identity import NO_CREDENTIALS, Credentials
from libs.serving.profile_codec import profile
from reprise.events.v1 import events_pb2, events_pb2_grpc

_PART: Final = "profile features"


class ProfileFeaturesClient:
    """The events service as a source of profile features."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._stub = events_pb2_grpc.EventsServiceStub(channel)

    async def profile_features(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        """The stored profile, if there is one, and its features as of a time (None: now).

        Raises PartUnavailable, DeadlineSpent or Overloaded.
        """
        request = events_pb2.GetProfileFeaturesRequest(
            profile_id=profile_id, as_of=None if as_of_ms is None else timestamp(as_of_ms)
        )
        answer = await call(
            _PART,
            self._stub.GetProfileFeatures,
            request,
            timeout_s=timeout_s,
            metadata=self._credentials.metadata(tenant),
        )
        return profile_features(answer)


def profile_features(
    message: events_pb2.GetProfileFeaturesResponse,
) -> tuple[Profile | None, ProfileState]:
    """Profile and state of an answer; PartUnavailable if it was made by other definitions."""
    if message.feature_schema_version != FEATURE_SCHEMA_VERSION:
        raise PartUnavailable(
            _PART, f"the events service has feature schema {message.feature_schema_version}"
        )
    features = message.features
    state = decode_state(features.title_ids, features.title_records, features.profile_counters)
    return (profile(message.profile) if message.HasField("profile") else None), state
