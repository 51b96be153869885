"""The recorded log as training and the command line read it, wherever it is."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.features.event_columns import EventColumns
from libs.features.profile_state import ProfileBase
from libs.features.title_replay import TitleBase
from libs.features.watched_days import WatchedDay
from libs.storage.event_row import Row
from libs.storage.log_reader import LogReader
from libs.storage.server_extra import server_extra


class RecordedLog(Protocol):
    """One log; every method raises PartUnavailable when it is not there."""

    def event_count(self, tenant: str) -> int:
        """How many events are recorded."""
        ...

    def newest_event_ms(self, tenant: str) -> int:
        """When the newest event occurred; 0 without any."""
        ...

    def columns(self, tenant: str, until_ms: int, from_ms: int | None = None) -> EventColumns:
        """The events with `from_ms` ≤ occurred_ms < `until_ms`, in order."""
        ...

    def columns_between(self, tenant: str, after_ms: int, to_ms: int) -> EventColumns:
        """As `columns` for `after_ms` < occurred_ms ≤ `to_ms`: what TitleReplay reads."""
        ...

    def profile_events(self, tenant: str, until_ms: int) -> Iterator[tuple[str, list[Event]]]:
        """Each profile, ascending, with its events before `until_ms`, in order, if it has any."""
        ...

    def events_of(self, tenant: str, profile_id: str, until_ms: int) -> list[Event]:
        """One profile's events before `until_ms`, in order."""
        ...

    def base_of(self, tenant: str, profile_id: str) -> ProfileBase:
        """What one profile's compacted events have made of it."""
        ...

    def title_base(self, tenant: str) -> TitleBase:
        """The counters of titles at the time up to which events may be compacted."""
        ...

    def compacted_count(self) -> int:
        """How many events were ever compacted; while it stays, bases and events are of one log."""
        ...

    def profile_ids(self, tenant: str) -> list[str]:
        """Everybody with any event, ascending."""
        ...

    def watermark(self) -> int:
        """The place in the log up to which everything has arrived, of any tenant; 0 for nothing."""
        ...

    def held_of(
        self, tenant: str, profile_id: str, *, watermark: int
    ) -> tuple[list[Row], list[WatchedDay]]:
        """What is held of one profile: rows of EVENT_COLUMNS, and days of compacted events.

        The rows have places in the log up to `watermark`, and are in order.
        """
        ...

    def newest_arrivals(self, tenant: str, most: int) -> list[tuple[int, Event]]:
        """The `most` events that arrived last, oldest first, with their places in the log."""
        ...

    def arrivals(self, tenant: str, after: int, most: int) -> list[tuple[int, Event]]:
        """About `most` of the next that arrived after place `after`, in the order of arrival.

        Events of one place come together.
        """
        ...

    def profiles(self, tenant: str) -> list[Profile]:
        """All stored profiles, ascending by id."""
        ...

    def close(self) -> None:
        """Give back what is held; nobody may be reading."""
        ...


@dataclass(frozen=True, slots=True)
class LogServer:
    """A log in PostgreSQL, where the keys are that it is sealed with, and the secret of those."""

    url: str = field(repr=False)
    keys_url: str = field(repr=False)
    secret: Path


def open_log(path: Path, server: LogServer | None) -> RecordedLog:
    """The log in a database, or in the file where there is none; raises StartFault."""
    if server is None:
        return LogReader(path)
    with server_extra():
        from libs.storage.postgres.identities import open_identities
        from libs.storage.postgres.log_reader import PostgresLogReader
    identities = open_identities(server.keys_url, server.secret, may_make=False)
    return PostgresLogReader(server.url, identities)
