"""Profiles of the feature store as services read them: the past of them from events."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from libs.domain.profile import Profile
from libs.features.profile_state import ProfileState
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.server_stores import open_profile_features
from libs.serving.settings import SuiteSettings
from libs.storage.feature_reader import FeatureReader


class ProfileFeatures(Protocol):
    """The feature store's rows of profiles."""

    async def read(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        """One profile and its features; raises a Fault when they cannot be read."""
        ...


def profile_features(
    settings: SuiteSettings, events: ProfileFeaturesClient
) -> tuple[ProfileFeatures, Callable[[], Awaitable[None]]]:
    """Where the settings have profiles read, and how that ends; raises StartFault."""
    if settings.is_past_one_machine:
        store = open_profile_features(settings)
        return RemoteProfileFeatures(store, events), store.close
    reader = FeatureReader(settings.events_path)

    async def close() -> None:
        reader.close()

    return StoredProfileFeatures(reader, events), close


class StoredProfileFeatures:
    """Profiles of now are one read of the file, which also works while events is away."""

    def __init__(self, reader: FeatureReader, past: ProfileFeaturesClient) -> None:
        self._reader = reader
        self._past = past

    async def read(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        """One profile and its features; raises a Fault when they cannot be read."""
        if as_of_ms is None:
            return self._reader.profile(tenant, profile_id)
        return await self._past.profile_features(
            tenant, profile_id, as_of_ms=as_of_ms, timeout_s=timeout_s
        )


class RemoteProfiles(Protocol):
    """Profiles of now in one read over the network."""

    async def profile(
        self, tenant: str, profile_id: str, *, timeout_s: float
    ) -> tuple[Profile | None, ProfileState] | None:
        """The stored profile and its features; None for one that is not held there."""
        ...


class RemoteProfileFeatures:
    """Profiles of now are one read of the feature store.

    What it does not hold is new or has been away for long: the events service knows which, and
    makes the features of its log.
    """

    def __init__(self, store: RemoteProfiles, events: ProfileFeaturesClient) -> None:
        self._store = store
        self._events = events

    async def read(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        """One profile and its features; raises a Fault when they cannot be read."""
        if as_of_ms is None:
            found = await self._store.profile(tenant, profile_id, timeout_s=timeout_s)
            if found is not None:
                return found
        return await self._events.profile_features(
            tenant, profile_id, as_of_ms=as_of_ms, timeout_s=timeout_s
        )
