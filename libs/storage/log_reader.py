"""The log as training reads it: read-only, in short statements, beside the service that writes."""

from collections.abc import Iterator
from pathlib import Path

from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.features.event_columns import EventColumns
from libs.features.profile_state import NO_BASE, ProfileBase
from libs.features.title_replay import TitleBase
from libs.features.watched_days import WatchedDay
from libs.storage import compacted, day_table, erasure_table, event_log, profile_table, undivided
from libs.storage.event_row import Row
from libs.storage.event_schema import EVENT_SCHEMA
from libs.storage.sqlite import Readers, snapshot


class LogReader:
    """Reads one events file; every method raises PartUnavailable when it is not there."""

    def __init__(self, path: Path) -> None:
        self._readers = Readers(path, EVENT_SCHEMA, "event log")

    def event_count(self, tenant: str) -> int:
        """How many events are recorded."""
        (count,) = (
            self._readers.connection()
            .execute("SELECT count(*) FROM events WHERE tenant = ?", (tenant,))
            .fetchone()
        )
        return int(count)

    def newest_event_ms(self, tenant: str) -> int:
        """When the newest event occurred; 0 without any."""
        connection = self._readers.connection()
        (newest_ms,) = connection.execute(
            "SELECT max(occurred_ms) FROM events WHERE tenant = ?", (tenant,)
        ).fetchone()
        if newest_ms is None:  # all are compacted
            (newest_ms,) = connection.execute(
                "SELECT max(newest_ms) FROM profile_bases WHERE tenant = ?", (tenant,)
            ).fetchone()
        return int(newest_ms or 0)

    def columns(self, tenant: str, until_ms: int, from_ms: int | None = None) -> EventColumns:
        """The events with `from_ms` ≤ occurred_ms < `until_ms`, in order."""
        return event_log.read_columns(
            self._readers.connection(), tenant, from_ms=from_ms or 0, until_ms=until_ms
        )

    def columns_between(self, tenant: str, after_ms: int, to_ms: int) -> EventColumns:
        """As `columns` for `after_ms` < occurred_ms ≤ `to_ms`: what TitleReplay reads."""
        return self.columns(tenant, to_ms + 1, after_ms + 1)

    def profile_events(self, tenant: str, until_ms: int) -> Iterator[tuple[str, list[Event]]]:
        """Each profile, ascending, with its events before `until_ms`, in order, if it has any.

        Or where it has a base: those that come before its events may be all that it has.
        """
        connection = self._readers.connection()
        based = compacted.profile_ids(connection, tenant)
        for profile_id in self.profile_ids(tenant):
            events = self.events_of(tenant, profile_id, until_ms)
            if events or profile_id in based:
                yield profile_id, events

    def profile_ids(self, tenant: str) -> list[str]:
        """Everybody with any event, ascending."""
        rows = (
            self._readers.connection()
            .execute(
                "SELECT profile_id FROM profile_counters WHERE tenant = ? ORDER BY profile_id",
                (tenant,),
            )
            .fetchall()
        )
        return [profile_id for (profile_id,) in rows]

    def held_of(
        self, tenant: str, profile_id: str, *, watermark: int
    ) -> tuple[list[Row], list[WatchedDay]]:
        """What is held of one profile: rows of EVENT_COLUMNS, and days of compacted events.

        The rows have places in the log up to `watermark`, and are in order.
        """
        with snapshot(self._readers.connection()) as connection:
            if erasure_table.is_pending(connection, tenant, profile_id):
                return [], []
            return (
                event_log.read_profile_rows(connection, tenant, profile_id, watermark=watermark),
                day_table.read(connection, tenant, profile_id),
            )

    def events_of(self, tenant: str, profile_id: str, until_ms: int) -> list[Event]:
        """One profile's events before `until_ms`, in order."""
        with snapshot(self._readers.connection()) as connection:
            if erasure_table.is_pending(connection, tenant, profile_id):
                return []
            return event_log.read_profile_events(connection, tenant, profile_id, until_ms=until_ms)

    def base_of(self, tenant: str, profile_id: str) -> ProfileBase:
        """What one profile's compacted events have made of it."""
        with snapshot(self._readers.connection()) as connection:
            if erasure_table.is_pending(connection, tenant, profile_id):
                return NO_BASE
            return compacted.read_base(connection, tenant, profile_id)

    def title_base(self, tenant: str) -> TitleBase:
        """The counters of titles at the time up to which events may be compacted."""
        return undivided.read_title_base(self._readers.connection(), tenant)

    def compacted_count(self) -> int:
        """How many events were ever compacted; while it stays, bases and events are of one log."""
        return compacted.compacted_count(self._readers.connection())

    def newest_arrivals(self, tenant: str, most: int) -> list[tuple[int, Event]]:
        """The `most` events that arrived last, oldest first, with their places in the log."""
        return event_log.read_arrivals(
            self._readers.connection(), tenant, "ORDER BY log_seq DESC", 0, most
        )[::-1]

    def arrivals(self, tenant: str, after: int, most: int) -> list[tuple[int, Event]]:
        """The next events that arrived after place `after`, in the order of arrival."""
        return event_log.read_arrivals(
            self._readers.connection(), tenant, "ORDER BY log_seq", after, most
        )

    def watermark(self) -> int:
        """The place of the event that arrived last, of any tenant; 0 without any."""
        # Not the last row's: that one may be compacted or erased.
        row = (
            self._readers.connection()
            .execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
            .fetchone()
        )
        return 0 if row is None else int(row[0])

    def profiles(self, tenant: str) -> list[Profile]:
        """All stored profiles, ascending by id."""
        return profile_table.read_all(self._readers.connection(), tenant)

    def close(self) -> None:
        """Close the file; nobody may be reading."""
        self._readers.close()
