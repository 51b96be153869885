"""The log in PostgreSQL as training reads it, beside the services that write."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final

from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.features import title_replay
from libs.features.event_columns import EventColumns
from libs.features.profile_state import NO_BASE, ProfileBase
from libs.features.title_replay import TitleBase
from libs.storage.event_row import EVENT_COLUMNS, decode
from libs.storage.postgres import log_tables, profile_tables
from libs.storage.postgres.database import Readers

_FETCHED_ROWS: Final = 10_000
_PROFILE_ID: Final = itemgetter(1)


class PostgresLogReader:
    """As LogReader, over the database of one URL."""

    def __init__(self, url: str) -> None:
        self._readers = Readers(url)

    def event_count(self, tenant: str) -> int:
        """How many events are recorded."""
        with self._readers.connection() as connection:
            [(count,)] = connection.execute(
                "SELECT count(*) FROM events WHERE tenant = %s", (tenant,)
            ).fetchall()
        return int(count)

    def newest_event_ms(self, tenant: str) -> int:
        """When the newest event occurred; 0 without any."""
        with self._readers.connection() as connection:
            [(newest_ms,)] = connection.execute(
                "SELECT max(occurred_ms) FROM events WHERE tenant = %s", (tenant,)
            ).fetchall()
        return int(newest_ms or 0)

    def columns(self, tenant: str, until_ms: int, from_ms: int | None = None) -> EventColumns:
        """The events with `from_ms` ≤ occurred_ms < `until_ms`, in order."""
        return log_tables.read_columns(
            self._readers.connection, tenant, from_ms=from_ms or 0, until_ms=until_ms
        )

    def columns_between(self, tenant: str, after_ms: int, to_ms: int) -> EventColumns:
        """As `columns` for `after_ms` < occurred_ms ≤ `to_ms`: what TitleReplay reads."""
        return self.columns(tenant, to_ms + 1, after_ms + 1)

    def profile_events(self, tenant: str, until_ms: int) -> Iterator[tuple[str, list[Event]]]:
        """Each profile, ascending, with its events before `until_ms`, in order, if it has any."""
        with (
            self._readers.connection() as connection,
            connection.transaction(),
            connection.cursor("profile_events") as cursor,
        ):
            cursor.itersize = _FETCHED_ROWS
            cursor.execute(
                f"SELECT {EVENT_COLUMNS} FROM events"  # noqa: S608  constants
                " WHERE tenant = %s AND occurred_ms < %s"
                " ORDER BY profile_id, occurred_ms, sequence, event_id",
                (tenant, until_ms),
            )
            for profile_id, rows in groupby(cursor, _PROFILE_ID):
                yield profile_id, [decode(row) for row in rows]

    def events_of(self, tenant: str, profile_id: str, until_ms: int) -> list[Event]:
        """One profile's events before `until_ms`, in order."""
        with self._readers.connection() as connection:
            return log_tables.read_profile_events(connection, tenant, profile_id, until_ms=until_ms)

    def base_of(self, tenant: str, profile_id: str) -> ProfileBase:
        """Nothing: here every event is kept."""
        return NO_BASE

    def title_base(self, tenant: str) -> TitleBase:
        """Nothing: here every event is kept."""
        return title_replay.NO_BASE

    def compacted_count(self) -> int:
        """0: here every event is kept."""
        return 0

    def profiles(self, tenant: str) -> list[Profile]:
        """All stored profiles, ascending by id."""
        with self._readers.connection() as connection:
            return profile_tables.read_all(connection, tenant)

    def close(self) -> None:
        """Close all connections; nobody may be reading."""
        self._readers.close()
