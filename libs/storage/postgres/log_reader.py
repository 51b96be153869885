"""The log in PostgreSQL as training and the command line read it, beside who writes it."""

from collections.abc import Iterator, Sequence
from typing import Final

from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.features.event_columns import EventColumns
from libs.features.profile_state import NO_BASE, ProfileBase
from libs.features.title_replay import TitleBase
from libs.features.watched_days import WatchedDay
from libs.storage.event_row import Row
from libs.storage.postgres import kept_tables, log_feed, log_tables, profile_tables
from libs.storage.postgres.database import Readers
from libs.storage.postgres.held_thumbs import WRITTEN_BEFORE
from libs.storage.postgres.identities import Identities
from libs.storage.postgres.log_row import PERSON, ROW_COLUMNS, decode_row, full_row
from libs.storage.postgres.undivided import read_title_base, snapshot

# Profiles whose events are read in one statement.
_PROFILES_AT_ONCE: Final = 200


class PostgresLogReader:
    """As LogReader, over the database of one URL."""

    def __init__(self, url: str, identities: Identities) -> None:
        """`identities` are closed with it; raises StartFault for bases of another release."""
        kept_tables.check_schema(url)
        self._readers = Readers(url)
        self._identities = identities

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
            if newest_ms is None:  # all are compacted
                newest_ms = kept_tables.newest_ms(connection, tenant)
        return int(newest_ms)

    def columns(self, tenant: str, until_ms: int, from_ms: int | None = None) -> EventColumns:
        """The events with `from_ms` ≤ occurred_ms < `until_ms`, in order."""
        return log_tables.read_columns(
            self._readers.connection,
            self._identities,
            tenant,
            from_ms=from_ms or 0,
            until_ms=until_ms,
        )

    def columns_between(self, tenant: str, after_ms: int, to_ms: int) -> EventColumns:
        """As `columns` for `after_ms` < occurred_ms ≤ `to_ms`: what TitleReplay reads."""
        return self.columns(tenant, to_ms + 1, after_ms + 1)

    def profile_events(self, tenant: str, until_ms: int) -> Iterator[tuple[str, list[Event]]]:
        """Each profile, ascending, with its events before `until_ms`, in order, if it has any.

        Or where it has a base: those that come before its events may be all that it has.
        """
        everyone = self._identities.everyone(tenant)
        with self._readers.connection() as connection:
            based = kept_tables.persons(connection, tenant)
        for start in range(0, len(everyone), _PROFILES_AT_ONCE):
            some = everyone[start : start + _PROFILES_AT_ONCE]
            found: dict[int, list[Row]] = {}
            with self._readers.connection() as connection:
                for row in connection.execute(
                    f"SELECT {ROW_COLUMNS} FROM events"  # noqa: S608  constants
                    " WHERE tenant = %s AND person = ANY(%s::bigint[]) AND occurred_ms < %s"
                    " ORDER BY occurred_ms, sequence, event_id",
                    (tenant, [one.person for one in some], until_ms),
                ).fetchall():
                    found.setdefault(row[PERSON], []).append(row)
            for one in some:
                if one.person in found or one.person in based:
                    own = found.get(one.person, ())
                    yield one.profile_id, [decode_row(row, one) for row in own]

    def profile_ids(self, tenant: str) -> list[str]:
        """Everybody with any event, compacted or not, ascending."""
        with self._readers.connection() as connection:
            rows = connection.execute(
                "SELECT person FROM events WHERE tenant = %s"
                " UNION SELECT person FROM profile_bases WHERE tenant = %s",
                (tenant, tenant),
            ).fetchall()
        known = self._identities.of_persons(tenant, [person for (person,) in rows])
        return sorted(identity.profile_id for identity in known.values())

    def watermark(self) -> int:
        """The last transaction that is done, as are all before it."""
        with self._readers.connection() as connection:
            return log_feed.horizon(connection) - 1

    def held_of(
        self, tenant: str, profile_id: str, *, watermark: int
    ) -> tuple[list[Row], list[WatchedDay]]:
        """One profile's rows of EVENT_COLUMNS by transactions up to `watermark`, in order.

        And its days of compacted events.
        """
        identity = self._identities.found(tenant, [profile_id]).get(profile_id)
        if identity is None:
            return [], []
        with self._readers.connection() as connection, snapshot(connection):
            days = kept_tables.read_days(connection, tenant, identity)
            rows = connection.execute(
                f"SELECT {ROW_COLUMNS} FROM events{WRITTEN_BEFORE}"  # noqa: S608  constants
                " AND events.tenant = %s AND person = %s ORDER BY occurred_ms, sequence, event_id",
                (str(watermark + 1), tenant, identity.person),
            ).fetchall()
        return [full_row(row, identity) for row in rows], days

    def newest_arrivals(self, tenant: str, most: int) -> list[tuple[int, Event]]:
        """The `most` events that arrived last, oldest first, all as of one place in the log."""
        with self._readers.connection() as connection:
            place = log_feed.horizon(connection) - 1
            rows = connection.execute(
                # Batches are numbered about as they arrive.
                f"SELECT {ROW_COLUMNS}, batch_id FROM events{WRITTEN_BEFORE}"  # noqa: S608  constants
                " AND events.tenant = %s ORDER BY batch_id DESC LIMIT %s",
                (str(place + 1), tenant, most),
            ).fetchall()
        return [(place, event) for _, event in self._arrived(tenant, rows)]

    def arrivals(self, tenant: str, after: int, most: int) -> list[tuple[int, Event]]:
        """The events of the next transactions after that one, about `most`, one at the least."""
        with self._readers.connection() as connection:
            while True:
                batches = log_feed.next_batches(connection, tenant, after + 1, most)
                rows = connection.execute(
                    f"SELECT {ROW_COLUMNS}, batch_id FROM events"  # noqa: S608  constants
                    " WHERE tenant = %s AND batch_id = ANY(%s)",
                    (tenant, list(batches)),
                ).fetchall()
                arrived = self._arrived(tenant, rows)
                if arrived or not batches:
                    break
                after = max(batches.values())  # all of them were erased
        found = [(batches[batch_id], event) for batch_id, event in arrived]
        return sorted(found, key=lambda one: (one[0], one[1].order))

    def _arrived(self, tenant: str, rows: Sequence[Row]) -> list[tuple[int, Event]]:
        """The events of rows that end with their batches, in the order of both."""
        known = self._identities.of_persons(tenant, {row[PERSON] for row in rows})
        found = [
            (row[-1], decode_row(row, known[row[PERSON]])) for row in rows if row[PERSON] in known
        ]
        return sorted(found, key=lambda one: (one[0], one[1].order))

    def events_of(self, tenant: str, profile_id: str, until_ms: int) -> list[Event]:
        """One profile's events before `until_ms`, in order."""
        identity = self._identities.found(tenant, [profile_id]).get(profile_id)
        if identity is None:
            return []
        with self._readers.connection() as connection:
            return log_tables.read_profile_events(connection, tenant, identity, until_ms=until_ms)

    def base_of(self, tenant: str, profile_id: str) -> ProfileBase:
        """What one profile's compacted events have made of it."""
        identity = self._identities.found(tenant, [profile_id]).get(profile_id)
        if identity is None:
            return NO_BASE
        with self._readers.connection() as connection, snapshot(connection):
            return kept_tables.read_base(connection, tenant, identity)

    def title_base(self, tenant: str) -> TitleBase:
        """The counters of titles at the time up to which events may be compacted."""
        with self._readers.connection() as connection:
            return read_title_base(connection, self._identities, tenant)

    def compacted_count(self) -> int:
        """How many events were ever compacted; while it stays, bases and events are of one log."""
        with self._readers.connection() as connection:
            return kept_tables.compacted_count(connection)

    def profiles(self, tenant: str) -> list[Profile]:
        """All stored profiles, ascending by id."""
        with self._readers.connection() as connection:
            return profile_tables.read_all(connection, self._identities, tenant)

    def close(self) -> None:
        """Close all connections; nobody may be reading."""
        self._readers.close()
        self._identities.close()
