"""The feature store as ranking reads it: the present from its file, the past from events."""

from typing import Protocol

from libs.domain.profile import Profile
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.profile_state import ProfileState
from libs.features.title_statistics import TitleStatistics, statistics
from libs.features.title_table import TitleTable
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.title_tables import DerivedByCountry, LiveTables, PastTables
from libs.storage.feature_reader import FeatureReader


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


class StoredTitleFeatures:
    """Statistics of now are made of the table in memory, those of the past of one asked for."""

    def __init__(self, live: LiveTables, past: PastTables) -> None:
        self._live = live
        self._past = past
        self._derived_live = DerivedByCountry(statistics, most_tables=1)
        self._derived_past = DerivedByCountry(statistics, most_tables=8)

    async def read(
        self,
        tenant: str,
        country: str,
        columns: CatalogueColumns,
        *,
        as_of_ms: int | None,
        timeout_s: float,
    ) -> TitleStatistics:
        """What is known of the rows of `columns`; raises a Fault when that cannot be read."""
        if as_of_ms is None:
            return self._derived_live.of(self._live.table(), columns, country)
        table = await self._past.table(tenant, country, as_of_ms=as_of_ms, timeout_s=timeout_s)
        return self._derived_past.of(table, columns, country)

    def refresh(self, columns: CatalogueColumns | None) -> None:
        """Follow the counters; raises PartUnavailable. Reads a file: not for the event loop."""

        def prepare(table: TitleTable) -> None:
            if columns is not None:
                self._derived_live.prepare(table, columns)

        self._live.refresh(prepare)
