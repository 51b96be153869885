"""The feature store as other services read it: the events file, read-only, while it is written."""

import sqlite3
from pathlib import Path

from libs.domain.profile import Profile
from libs.faults import PartUnavailable
from libs.features.profile_state import ProfileState
from libs.features.title_table import TitleChanges
from libs.storage import profile_table
from libs.storage.event_schema import EVENT_SCHEMA, PART
from libs.storage.feature_tables import read_profile_state, read_title_changes
from libs.storage.sqlite import Readers


class FeatureReader:
    """Works while the events service is down; any thread may use it.

    Every method raises PartUnavailable("features") as long as the file is not there, and answers
    again when it is.
    """

    def __init__(self, path: Path) -> None:
        self._readers = Readers(path, EVENT_SCHEMA, PART)

    def profile(self, tenant: str, profile_id: str) -> tuple[Profile | None, ProfileState]:
        """The stored profile, if there is one, and the features of everything recorded."""
        connection = self._readers.connection()
        try:
            return (
                profile_table.read(connection, tenant, profile_id),
                read_profile_state(connection, tenant, profile_id),
            )
        except sqlite3.Error as error:
            raise PartUnavailable(PART, str(error)) from error

    def title_changes(self, tenant: str, after_change: int) -> TitleChanges:
        """The title counters that changed after that change; 0 reads them all."""
        connection = self._readers.connection()
        try:
            return read_title_changes(connection, tenant, after_change)
        except sqlite3.Error as error:
            raise PartUnavailable(PART, str(error)) from error

    def close(self) -> None:
        """Close the file; nobody may be reading."""
        self._readers.close()
