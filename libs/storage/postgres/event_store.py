"""The event store in PostgreSQL: log, decisions and profiles, for several replicas at once.

Online features are not kept here: what is asked of them is made of the log when it is read.
"""

import contextlib
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import psycopg

from libs.domain.decision import Decision
from libs.domain.erasure import Erasure, ServiceErasure
from libs.domain.event import Event, EventKind
from libs.domain.profile import Profile
from libs.faults import NotSupported, PartUnavailable
from libs.features.event_columns import EventColumns
from libs.features.profile_state import EMPTY, ProfileState, replay
from libs.features.title_replay import ReadEvents
from libs.features.title_table import LiveTitleCounters, TitleTable
from libs.features.watched_days import WatchedDay, watched_days
from libs.storage.compaction import CompactionStep, Place
from libs.storage.history_row import HistoryRow, history_row
from libs.storage.past_titles import PastTitles
from libs.storage.postgres import (
    decision_tables,
    erasure_tables,
    log_tables,
    profile_tables,
)
from libs.storage.postgres.database import PART, Connection, Readers, open_writer, unavailable
from libs.storage.postgres.identities import Identities, Identity
from libs.storage.postgres.late_batches import LateBatches
from libs.storage.postgres.migration import migrate
from libs.storage.postgres.partitions import Partitions
from libs.storage.postgres.writing import Writing
from libs.storage.recorded import Recorded
from libs.storage.transaction_lost import TransactionLost, WriteConflict

# Tenants of which something is held in memory; what another one needs is read again.
MOST_TENANTS: Final = 32

_END_MS: Final = 2**62


class PostgresEventStore:
    """One of any number of writers of the database.

    Writes are for one thread at a time; reads are for any thread. Every call raises
    PartUnavailable when the database cannot answer it.
    """

    def __init__(
        self, url: str, identities: Identities, *, most_tenants: int = MOST_TENANTS
    ) -> None:
        """Bring the tables up to date; raises StartFault when that cannot be.

        `identities` are closed with the store.
        """
        migrate(url)
        self._url = url
        self._identities = identities
        self._connection: Connection | None = None
        self._partitions = Partitions(url)
        self._readers = Readers(url)
        self._past = PastTitles(self._reading, most_tenants)
        self._late = LateBatches()
        self._late_lock = threading.Lock()
        self._writing: Writing | None = None

    def close(self) -> None:
        """Close all connections; nobody may be reading or writing."""
        self._readers.close()
        self._identities.close()
        if self._connection is not None:
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes of the block durable together; inside, each call still fails alone.

        Unless the database fails: that undoes them all, and that call, and every one after it
        in the block, raises TransactionLost, and the block PartUnavailable.
        """
        if self._writing is not None:
            with self._writing.part():
                yield
            return
        try:
            connection = self._connected()
            self._writing = Writing(connection, self._partitions, self._identities)
            connection.execute("BEGIN")
            yield
            self._writing.finish()
        except BaseException as error:
            self._roll_back()
            if isinstance(error, psycopg.Error | TransactionLost):
                raise _told(error) from error
            raise
        finally:
            self._writing = None

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = open_writer(self._url)
        return self._connection

    def _roll_back(self) -> None:
        if self._connection is not None:
            try:
                self._connection.execute("ROLLBACK")
            except psycopg.Error:
                # The server does the same when the connection ends.
                self._connection.close()

    @contextlib.contextmanager
    def _written(self) -> Iterator[Writing]:
        """The running transaction, or one for the block alone."""
        if self._writing is not None:
            with self._writing.call():
                yield self._writing
        else:
            with self.transaction(), self._written() as writing:
                yield writing

    def record_events(self, tenant: str, events: Sequence[Event], now_ms: int) -> Recorded:
        """Append what is new and right of a batch; when it raises, nothing of it."""
        with self._written() as writing:
            return writing.record_events(tenant, events, now_ms)

    def record_decisions(self, tenant: str, decisions: Sequence[Decision], now_ms: int) -> Recorded:
        """Store what is new and right of a batch, each page_id once."""
        with self._written() as writing:
            return writing.record_decisions(tenant, decisions, now_ms)

    def upsert_profiles(self, tenant: str, profiles: Sequence[Profile]) -> int:
        """Create or replace whole profiles; returns how many distinct ones.

        Raises InvalidField for one that was erased, and then none is written.
        """
        with self._written() as writing:
            return writing.upsert_profiles(tenant, profiles)

    def erase_profile(
        self, tenant: str, profile_id: str, services: Sequence[str], now_ms: int
    ) -> Erasure:
        """Delete all that is held of a profile and leave a tombstone; `services` are to follow.

        A profile that was erased before stays as it is, and so does its erasure.
        """
        with self._written() as writing:
            return writing.erase_profile(tenant, profile_id, services, now_ms)

    def confirm_erasure(self, tenant: str, profile_id: str, answer: ServiceErasure) -> Erasure:
        """Note what a service has answered; raises NotFound for a profile that was not erased."""
        with self._written() as writing:
            return writing.confirm_erasure(tenant, profile_id, answer)

    def pending_erasures(self) -> list[tuple[str, str]]:
        """(tenant, profile_id) of every erasure that some service has not confirmed."""
        with self._readers.connection() as connection:
            by_tenant: dict[str, list[str]] = {}
            for tenant, pseudonym in erasure_tables.pending(connection):
                by_tenant.setdefault(tenant, []).append(pseudonym)
        return sorted(
            (tenant, identity.profile_id)
            for tenant, pseudonyms in by_tenant.items()
            for identity in self._identities.of_pseudonyms(tenant, pseudonyms)
        )

    def erased_xid(self, tenant: str, profile_id: str) -> int:
        """The place of a profile's erasure in the log as it is followed; 0 for none."""
        pseudonym = self._identities.pseudonyms.of(tenant, profile_id)
        with self._readers.connection() as connection:
            return erasure_tables.erased_xid(connection, tenant, pseudonym)

    def scrub(self, profile_ids: Collection[str] = ()) -> bool:
        """Destroy the keys of all whose erasure is complete; False where some are left."""
        with self._readers.connection() as connection:
            for tenant, pseudonym in erasure_tables.unforgotten(connection):
                self._identities.destroy(tenant, pseudonym)
                erasure_tables.note_forgotten(connection, tenant, pseudonym)
        return self._identities.scrub()

    def _identity(self, tenant: str, profile_id: str) -> Identity | None:
        return self._identities.found(tenant, [profile_id]).get(profile_id)

    def compact(self, until_ms: int, after: Place) -> CompactionStep:
        """Raises NotSupported: here every event is kept."""
        raise NotSupported("compacting events", "where the log is in PostgreSQL")

    def compacted_until_ms(self, tenant: str) -> int:
        """−1: nothing is compacted."""
        return -1

    def watched_days(self, tenant: str, profile_id: str) -> list[WatchedDay]:
        """All days of a profile, by (day, title id)."""
        identity = self._identity(tenant, profile_id)
        if identity is None:
            return []
        with self._readers.connection() as connection:
            return watched_days(
                log_tables.read_profile_events(connection, tenant, identity, until_ms=_END_MS)
            )

    def decisions_of(self, tenant: str, profile_id: str) -> list[dict[str, Any]]:
        """The decisions that are kept of a profile, oldest first."""
        identity = self._identity(tenant, profile_id)
        if identity is None:
            return []
        with self._readers.connection() as connection:
            return decision_tables.read_profile(connection, tenant, identity)

    def profiles(self, tenant: str, profile_ids: Sequence[str]) -> list[Profile]:
        """Those that exist, in the order asked for."""
        with self._readers.connection() as connection:
            found = profile_tables.read(connection, self._identities, tenant, profile_ids)
        return [found[profile_id] for profile_id in profile_ids if profile_id in found]

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
        identity = self._identity(tenant, profile_id)
        if identity is None:
            return []
        with self._readers.connection() as connection:
            return log_tables.read_history(
                connection,
                tenant,
                identity,
                most=most,
                before=before,
                title_id=title_id,
                kinds=kinds,
                as_of_ms=as_of_ms,
            )

    def history_rows(
        self,
        tenant: str,
        profile_id: str,
        *,
        most: int,
        before: tuple[int, int, str] | None = None,
        kinds: Collection[EventKind] = (),
        as_of_ms: int | None = None,
    ) -> list[HistoryRow]:
        """The rows of what `history` tells of the same."""
        found = self.history(
            tenant, profile_id, most=most, before=before, kinds=kinds, as_of_ms=as_of_ms
        )
        return [history_row(event) for event in found]

    def profile_state(self, tenant: str, profile_id: str, as_of_ms: int | None) -> ProfileState:
        """The features of everything recorded, or of the events at or before `as_of_ms`."""
        until_ms = _END_MS if as_of_ms is None else as_of_ms + 1
        identity = self._identity(tenant, profile_id)
        if identity is None:
            return EMPTY
        with self._readers.connection() as connection:
            return replay(
                log_tables.read_profile_events(connection, tenant, identity, until_ms=until_ms)
            )

    def title_table(
        self, tenant: str, as_of_ms: int | None, country: str, *, now_ms: int
    ) -> TitleTable:
        """Counters of everything recorded at `now_ms`, or of the events at or before `as_of_ms`.

        Those of `country` come with them; "" means none. The present takes a pass over the whole
        log: who asks often follows the feature store.
        """
        if as_of_ms is not None:
            self._note_late(tenant)
            return self._past.table(tenant, as_of_ms, country)
        live = LiveTitleCounters()
        live.add(self._columns(tenant, 0, _END_MS))
        return live.table(now_ms, (country,))

    def _note_late(self, tenant: str) -> None:
        """Look for what any replica has written since the last look."""
        with self._late_lock, self._readers.connection() as connection:
            oldest_ms = self._late.look(connection, tenant)
            if oldest_ms is not None:
                self._past.note_late(tenant, oldest_ms)

    def _reading(self, tenant: str) -> ReadEvents:
        return lambda after_ms, to_ms: self._columns(tenant, after_ms + 1, to_ms + 1)

    def _columns(self, tenant: str, from_ms: int, until_ms: int) -> EventColumns:
        return log_tables.read_columns(
            self._readers.connection,
            self._identities,
            tenant,
            from_ms=from_ms,
            until_ms=until_ms,
        )


def _told(error: psycopg.Error | TransactionLost) -> PartUnavailable:
    """What the callers of a transaction are told of its failure."""
    cause = error.__cause__ if isinstance(error, TransactionLost) else error
    if isinstance(cause, psycopg.errors.DeadlockDetected):
        return WriteConflict(PART, "two writers waited for each other")
    return unavailable(error)
