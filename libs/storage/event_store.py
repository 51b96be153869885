"""The event store in SQLite: log, decisions, profiles and features around one connection."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from libs.domain.decision import Decision
from libs.domain.erasure import Erasure, ServiceErasure
from libs.domain.event import Event, EventKind
from libs.domain.profile import Profile
from libs.faults import NotFound, StartFault
from libs.features.profile_state import ProfileState, replay
from libs.features.title_replay import ReadBase, ReadEvents
from libs.features.title_table import LiveTitleCounters, TitleTable
from libs.features.watched_days import WatchedDay
from libs.storage import (
    compacted,
    compaction,
    decision_table,
    erasure_table,
    event_log,
    profile_table,
    removal,
    undivided,
)
from libs.storage.event_schema import EVENT_SCHEMA, PART
from libs.storage.feature_tables import FeatureTables, read_profile_state, read_title_changes
from libs.storage.folding_writer import FoldingWriter
from libs.storage.history_row import HistoryRow
from libs.storage.past_titles import PastTitles
from libs.storage.rebuild import rebuild
from libs.storage.recorded import (
    Recorded,
    check_not_erased,
    claimed_profile_ids,
    sift_decisions,
    sift_events,
)
from libs.storage.scrub import Scrubber
from libs.storage.sqlite import Connect, Readers, connect, open_writer, snapshot

# Tenants of which something is held in memory; what another one needs is read again.
MOST_TENANTS: Final = 32

# The key of the tombstones, beside the file and never in it.
PSEUDONYM_KEY: Final = "pseudonym.key"


class SqliteEventStore:
    """The writer of the events file.

    Writes are for one thread at a time; reads are for any thread, each with its own connection,
    and wait for no write. Every write raises PartUnavailable when the file cannot take it.
    """

    def __init__(
        self, path: Path, *, most_tenants: int = MOST_TENANTS, connect: Connect = connect
    ) -> None:
        """Open the file; raises StartFault when that cannot be. `connect` opens the writer's."""
        writer = open_writer(path, EVENT_SCHEMA, connect=connect)
        self._features = FeatureTables(writer.connection, most_tenants=most_tenants)
        self._readers = Readers(path, EVENT_SCHEMA, PART)
        self._past = PastTitles(self._reading, most_tenants, self._basing)
        self._writer = FoldingWriter(writer, self._features, self._past.note_late)
        self._scrubber = Scrubber(path)
        try:
            self._pseudonyms = erasure_table.open_pseudonyms(
                writer.connection, path.with_name(PSEUDONYM_KEY)
            )
        except StartFault:
            self._writer.close()
            raise

    def close(self) -> None:
        """Close the file; nobody may be reading or writing."""
        self._readers.close()
        self._writer.close()

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Make the writes of the block durable together; inside, each call still fails alone.

        Unless the file fails in a way that undoes them all: that call, and every one after it in
        the block, raises TransactionLost, and the block PartUnavailable.
        """
        return self._writer.transaction()

    def rebuild_features(self) -> Iterator[float]:
        """Make all features anew from the log, a step at each `next`: the share that is done.

        Everything else may go on between the steps, by the thread that writes.
        """
        return rebuild(self._writer.connection, self._features.forget)

    def record_events(self, tenant: str, events: Sequence[Event], now_ms: int) -> Recorded:
        """Append what is new and right of a batch, and fold it into the features.

        When it raises, nothing of the batch is stored.
        """
        with self.transaction():
            connection = self._writer.connection
            erased = self._erased(tenant, {event.profile_id for event in events})
            known = event_log.known_ids(connection, tenant, [event.event_id for event in events])
            # Of who was erased nothing is known, not even which events were compacted before.
            known |= compacted.known_ids(
                connection,
                tenant,
                [event.event_id for event in events if event.profile_id not in erased],
            )
            sifted = sift_events(
                events,
                known_ids=known,
                accounts=profile_table.accounts(connection, tenant, claimed_profile_ids(events)),
                erased_ids=erased,
                now_ms=now_ms,
            )
            if sifted.new:
                self._writer.append(tenant, sifted.new, now_ms)
        return sifted.recorded

    def record_decisions(self, tenant: str, decisions: Sequence[Decision], now_ms: int) -> Recorded:
        """Store what is new and right of a batch, each page_id once."""
        with self.transaction():
            connection = self._writer.connection
            decision_table.drop_old(connection, now_ms)
            known = decision_table.known_ids(
                connection, tenant, [decision.page_id for decision in decisions]
            )
            erased = self._erased(tenant, {decision.profile_id for decision in decisions})
            sifted = sift_decisions(decisions, known_ids=known, erased_ids=erased, now_ms=now_ms)
            decision_table.record(connection, tenant, sifted.new, now_ms)
        return sifted.recorded

    def upsert_profiles(self, tenant: str, profiles: Sequence[Profile]) -> int:
        """Create or replace whole profiles; returns how many distinct ones.

        Raises InvalidField for one that was erased, and then none is written.
        """
        with self.transaction():
            ids = {profile.profile_id for profile in profiles}
            check_not_erased(profiles, self._erased(tenant, ids))
            profile_table.upsert(self._writer.connection, tenant, profiles)
        return len(ids)

    def _erased(self, tenant: str, profile_ids: Collection[str]) -> set[str]:
        return erasure_table.erased_ids(
            self._writer.connection, self._pseudonyms, tenant, profile_ids
        )

    def erase_profile(
        self, tenant: str, profile_id: str, services: Sequence[str], now_ms: int
    ) -> Erasure:
        """Leave a tombstone and delete some of what is held; `services` are to follow.

        From then on nothing is told of the profile. Asked again it goes on deleting, until the
        erasure says `is_removed`, and after that it changes nothing.
        """
        pseudonym = self._pseudonyms.of(tenant, profile_id)
        # What came in this very transaction has to be in the features before it is taken out.
        self._writer.fold_early()
        try:
            with self.transaction():
                return self._erase(tenant, profile_id, pseudonym, services, now_ms)
        except BaseException:
            self._features.forget()
            raise

    def _erase(
        self,
        tenant: str,
        profile_id: str,
        pseudonym: str,
        services: Sequence[str],
        now_ms: int,
    ) -> Erasure:
        connection = self._writer.connection
        erasure = erasure_table.read(connection, tenant, pseudonym)
        is_new = erasure is None
        if erasure is None:
            erasure = removal.begin(connection, tenant, profile_id, tuple(services), now_ms)
            if erasure.oldest_event_ms is not None:
                self._writer.note_changed(tenant, erasure.oldest_event_ms)
        if erasure.is_removed:
            return erasure
        is_removed = removal.step(connection, self._features, tenant, profile_id)
        if is_new or is_removed:
            erasure = replace(erasure, is_removed=is_removed)
            erasure_table.write(connection, self._pseudonyms, tenant, profile_id, erasure)
        return erasure

    def compact(self, until_ms: int, after: compaction.Place) -> compaction.CompactionStep:
        """Compact some events with occurred_ms ≤ `until_ms`, of profiles behind `after`."""
        with self.transaction():
            return compaction.step(self._writer.connection, until_ms, after)

    def confirm_erasure(self, tenant: str, profile_id: str, answer: ServiceErasure) -> Erasure:
        """Note what a service has answered; raises NotFound for a profile that was not erased."""
        pseudonym = self._pseudonyms.of(tenant, profile_id)
        with self.transaction():
            known = erasure_table.read(self._writer.connection, tenant, pseudonym)
            if known is None:
                raise NotFound("erasure", pseudonym)
            erasure = known.confirmed(answer)
            erasure_table.write(
                self._writer.connection, self._pseudonyms, tenant, profile_id, erasure
            )
        return erasure

    def pending_erasures(self) -> list[tuple[str, str]]:
        """(tenant, profile_id) of every erasure that is not complete."""
        return erasure_table.pending(self._readers.connection())

    def scrub(self, profile_ids: Collection[str] = ()) -> bool:
        """Overwrite what deleted rows left behind; False where that has to be tried again.

        `profile_ids` were erased and are to be found nowhere any more. Not in a transaction.
        """
        return self._scrubber.scrub(profile_ids)

    def decisions_of(self, tenant: str, profile_id: str) -> list[dict[str, Any]]:
        """The decisions that are kept of a profile, oldest first."""
        with snapshot(self._readers.connection()) as connection:
            if erasure_table.is_pending(connection, tenant, profile_id):
                return []
            return decision_table.read_profile(connection, tenant, profile_id)

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
        """A profile's newest events before `before` that pass the filters, newest first.

        Raises HistoryCompacted for a time before what is compacted.
        """
        with snapshot(self._readers.connection()) as connection:
            compacted.check_told(connection, tenant, as_of_ms)
            if erasure_table.is_pending(connection, tenant, profile_id):
                return []
            return event_log.read_history(
                connection,
                tenant,
                profile_id,
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
        with snapshot(self._readers.connection()) as connection:
            compacted.check_told(connection, tenant, as_of_ms)
            if erasure_table.is_pending(connection, tenant, profile_id):
                return []
            return event_log.read_history_rows(
                connection,
                tenant,
                profile_id,
                most=most,
                before=before,
                kinds=kinds,
                as_of_ms=as_of_ms,
            )

    def compacted_until_ms(self, tenant: str) -> int:
        """Up to when events may be compacted, and history lacks some of them; −1 for never."""
        return compacted.compacted_until_ms(self._readers.connection(), tenant)

    def watched_days(self, tenant: str, profile_id: str) -> list[WatchedDay]:
        """All days of a profile, of compacted events and of others, by (day, title id)."""
        return undivided.read_days(self._readers.connection(), tenant, profile_id)

    def profile_state(self, tenant: str, profile_id: str, as_of_ms: int | None) -> ProfileState:
        """The features of everything recorded, or of the events at or before `as_of_ms`.

        Raises HistoryCompacted for a time before what is compacted.
        """
        connection = self._readers.connection()
        if as_of_ms is None:
            return read_profile_state(connection, tenant, profile_id)
        base, events = undivided.read_profile(connection, tenant, profile_id, as_of_ms)
        return replay(events, base)

    def title_table(
        self, tenant: str, as_of_ms: int | None, country: str, *, now_ms: int
    ) -> TitleTable:
        """Counters of everything recorded at `now_ms`, or of the events at or before `as_of_ms`.

        Those of `country` come with them; "" means none. Raises HistoryCompacted for a time
        before what is compacted.
        """
        if as_of_ms is not None:
            connection = self._readers.connection()
            return undivided.read_whole(
                connection, tenant, as_of_ms, partial(self._past.table, tenant, as_of_ms, country)
            )
        live = LiveTitleCounters()
        live.apply(read_title_changes(self._readers.connection(), tenant, 0))
        return live.table(now_ms, (country,))

    def _reading(self, tenant: str) -> ReadEvents:
        """How TitleReplay reads one tenant's log."""
        return lambda after_ms, to_ms: event_log.read_columns(
            self._readers.connection(), tenant, from_ms=after_ms + 1, until_ms=to_ms + 1
        )

    def _basing(self, tenant: str) -> ReadBase:
        """How TitleReplay reads what one tenant's compacted events stand for."""
        return lambda: undivided.read_title_base(self._readers.connection(), tenant)
