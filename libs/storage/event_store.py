"""The event store in SQLite: log, decisions, profiles and features around one connection."""

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from libs.domain.decision import Decision
from libs.domain.event import Event, EventKind
from libs.domain.profile import Profile
from libs.faults import PartUnavailable
from libs.features.event_columns import from_events
from libs.features.profile_state import ProfileState, replay
from libs.features.title_replay import ReadEvents
from libs.features.title_table import LiveTitleCounters, TitleTable
from libs.storage import decision_table, event_log, profile_table
from libs.storage.event_schema import EVENT_SCHEMA, PART
from libs.storage.feature_tables import FeatureTables, read_profile_state, read_title_changes
from libs.storage.past_titles import PastTitles
from libs.storage.recorded import Recorded, check_decision_times, check_times
from libs.storage.sqlite import Readers, open_writer, transaction
from libs.storage.transaction_lost import TransactionLost

# Tenants of which something is held in memory; what another one needs is read again.
MOST_TENANTS: Final = 32


class SqliteEventStore:
    """The writer of the events file.

    Writes are for one thread at a time; reads are for any thread, each with its own connection,
    and wait for no write. Every write raises PartUnavailable when the file cannot take it.
    """

    def __init__(self, path: Path, *, most_tenants: int = MOST_TENANTS) -> None:
        """Open the file; raises StartFault when that cannot be."""
        self._writer = open_writer(path, EVENT_SCHEMA)
        self._features = FeatureTables(self._writer.connection, most_tenants=most_tenants)
        self._readers = Readers(path, EVENT_SCHEMA, PART)
        self._past = PastTitles(self._reading, most_tenants)
        # What the running transaction has appended to the log.
        self._unfolded: list[tuple[str, list[Event]]] = []
        self._is_in_transaction = False

    def close(self) -> None:
        """Close the file; nobody may be reading or writing."""
        self._readers.close()
        self._writer.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes of the block durable together; inside, each call still fails alone.

        Unless the file fails in a way that undoes them all: that call, and every one after it in
        the block, raises TransactionLost, and the block PartUnavailable.
        """
        connection = self._writer.connection
        is_outermost, mark = not self._is_in_transaction, len(self._unfolded)
        if not is_outermost:
            _check_alive(connection)
        self._is_in_transaction = True
        try:
            with transaction(connection):
                yield
                _check_alive(connection)
                if is_outermost:
                    self._fold()
        except BaseException as error:
            del self._unfolded[mark:]
            if is_outermost:
                self._features.forget()
            is_lost = isinstance(error, TransactionLost) and is_outermost
            if is_lost or isinstance(error, sqlite3.OperationalError):
                raise PartUnavailable("events", str(error)) from error
            raise
        finally:
            if is_outermost:
                self._is_in_transaction = False
        if is_outermost:
            for tenant, events in self._unfolded:
                self._past.note_late(tenant, min(event.occurred_ms for event in events))
            self._unfolded.clear()

    def _fold(self) -> None:
        """Bring the features up to the log, once for all calls of the transaction."""
        by_tenant: dict[str, list[Event]] = {}
        for tenant, events in self._unfolded:
            by_tenant.setdefault(tenant, []).extend(events)
        for tenant, events in by_tenant.items():
            self._features.apply(tenant, events, from_events(events))

    def record_events(self, tenant: str, events: Sequence[Event], now_ms: int) -> Recorded:
        """Append a batch and fold it into the features: all of it or, when it raises, nothing.

        Raises InvalidField for an event more than a day ahead of `now_ms`.
        """
        check_times(events, now_ms)
        with self.transaction():
            connection = self._writer.connection
            distinct = {event.event_id: event for event in reversed(events)}
            known = event_log.known_ids(connection, tenant, distinct)
            new = [
                event
                for event in events
                if event.event_id not in known and distinct[event.event_id] is event
            ]
            if new:
                said = decision_table.attributions(connection, tenant, new)
                event_log.append(connection, tenant, new, said)
                self._unfolded.append((tenant, new))
        return Recorded(len(new), len(events) - len(new))

    def record_decisions(self, tenant: str, decisions: Sequence[Decision], now_ms: int) -> int:
        """Store decisions, each page_id once; returns how many were new.

        Raises InvalidField for a decision more than a day ahead of `now_ms`.
        """
        check_decision_times(decisions, now_ms)
        with self.transaction():
            return decision_table.record(self._writer.connection, tenant, decisions, now_ms)

    def upsert_profiles(self, tenant: str, profiles: Sequence[Profile]) -> int:
        """Create or replace whole profiles; returns how many distinct ones."""
        with self.transaction():
            profile_table.upsert(self._writer.connection, tenant, profiles)
        return len({profile.profile_id for profile in profiles})

    def profiles(self, tenant: str, profile_ids: Sequence[str]) -> list[Profile]:
        """Those that exist, in the order asked for."""
        connection = self._readers.connection()
        found = [profile_table.read(connection, tenant, profile_id) for profile_id in profile_ids]
        return [profile for profile in found if profile is not None]

    def history(
        self,
        tenant: str,
        profile_id: str,
        *,
        most: int,
        before: tuple[int, int, str] | None = None,
        title_id: str = "",
        kinds: Collection[EventKind] = (),
        as_of_ms: int | None = None,
    ) -> list[Event]:
        """A profile's newest events before `before` that pass the filters, newest first."""
        return event_log.read_history(
            self._readers.connection(),
            tenant,
            profile_id,
            most=most,
            before=before,
            title_id=title_id,
            kinds=kinds,
            as_of_ms=as_of_ms,
        )

    def profile_state(self, tenant: str, profile_id: str, as_of_ms: int | None) -> ProfileState:
        """The features of everything recorded, or of the events at or before `as_of_ms`."""
        connection = self._readers.connection()
        if as_of_ms is None:
            return read_profile_state(connection, tenant, profile_id)
        return replay(
            event_log.read_profile_events(connection, tenant, profile_id, until_ms=as_of_ms + 1)
        )

    def title_table(
        self, tenant: str, as_of_ms: int | None, country: str, *, now_ms: int
    ) -> TitleTable:
        """Counters of everything recorded at `now_ms`, or of the events at or before `as_of_ms`.

        Those of `country` come with them; "" means none.
        """
        if as_of_ms is not None:
            return self._past.table(tenant, as_of_ms, country)
        live = LiveTitleCounters()
        live.apply(read_title_changes(self._readers.connection(), tenant, 0))
        return live.table(now_ms, (country,))

    def _reading(self, tenant: str) -> ReadEvents:
        """How TitleReplay reads one tenant's log."""
        return lambda after_ms, to_ms: event_log.read_columns(
            self._readers.connection(), tenant, from_ms=after_ms + 1, until_ms=to_ms + 1
        )


def _check_alive(connection: sqlite3.Connection) -> None:
    # Without a transaction each statement would be durable by itself.
    if not connection.in_transaction:
        raise TransactionLost("the transaction was undone by an earlier failure")
