"""One writing transaction: what its calls bring is claimed at once and written when it ends."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import psycopg

from libs.domain.decision import Decision
from libs.domain.erasure import Erasure, ServiceErasure
from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.faults import NotFound, PartUnavailable
from libs.features.title_record import RECORD_KINDS
from libs.storage.compaction import CompactionStep, Place
from libs.storage.postgres import (
    compaction,
    decision_tables,
    erasure_tables,
    kept_tables,
    log_tables,
    profile_tables,
)
from libs.storage.postgres.database import Connection
from libs.storage.postgres.identities import Identities
from libs.storage.postgres.partitions import Partitions
from libs.storage.recorded import (
    Recorded,
    Sifted,
    check_not_erased,
    claimed_profile_ids,
    sift_decisions,
    sift_events,
)
from libs.storage.transaction_lost import TransactionLost

ValueT = TypeVar("ValueT")


class Writing:
    """The state of a transaction that is open on the connection.

    Events go to the log in one COPY for all calls, once it is known that the transaction ends
    well. What decisions and impressions have to say to each other is settled then too, under a
    lock that is so held for no longer than the last statements take.
    """

    def __init__(
        self, connection: Connection, partitions: Partitions, identities: Identities
    ) -> None:
        self._connection = connection
        self._partitions = partitions
        self._identities = identities
        self._events: list[tuple[str, int, Sequence[Event]]] = []  # with when they came
        self._decisions: list[tuple[str, Sequence[Decision]]] = []
        self._profile_counts: list[tuple[str, int]] = []
        self._locked: set[str] = set()
        self._batch_id: int | None = None
        self._is_lost = False

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """A part of the transaction that can fail alone."""
        before = [*self._events], [*self._decisions], [*self._profile_counts], {*self._locked}
        with self.call():
            self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._events, self._decisions, self._profile_counts, self._locked = before
            if not self._is_lost:
                with self.call():
                    self._connection.execute("ROLLBACK TO part; RELEASE part")
            raise
        with self.call():
            self._connection.execute("RELEASE part")

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """Statements of which none can fail without undoing the transaction: TransactionLost."""
        if self._is_lost:
            raise TransactionLost("the transaction was undone by an earlier failure")
        try:
            yield
        except (psycopg.Error, PartUnavailable) as error:
            self._is_lost = True
            raise TransactionLost(str(error)) from error

    def _lock(self, tenant: str) -> None:
        """Keep erasures of the tenant out until the end."""
        if tenant not in self._locked:
            erasure_tables.lock(self._connection, tenant, is_erasure=False)
            self._locked.add(tenant)

    def _erased(self, tenant: str, profile_ids: set[str]) -> set[str]:
        """Those of whom nothing is taken any more."""
        self._lock(tenant)
        # Who is unknown may be somebody whose key is destroyed, and whose tombstone is not in a
        # log that was restored from before.
        unknown = profile_ids - self._identities.found(tenant, profile_ids).keys()
        found = set(self._identities.destroyed(tenant, unknown)) if unknown else set()
        if erasure_tables.has_any(self._connection, tenant):
            of = self._identities.pseudonyms.of
            names = {of(tenant, profile_id): profile_id for profile_id in profile_ids}
            found.update(
                names[one] for one in erasure_tables.erased(self._connection, tenant, names)
            )
        return found

    def record_events(self, tenant: str, events: Sequence[Event], now_ms: int) -> Recorded:
        """Take what is new and right."""
        erased = self._erased(tenant, {event.profile_id for event in events})
        accounts = profile_tables.accounts(
            self._connection, self._identities, tenant, claimed_profile_ids(events)
        )

        def sift(known_ids: set[str]) -> Sifted[Event]:
            return sift_events(
                events, known_ids=known_ids, accounts=accounts, erased_ids=erased, now_ms=now_ms
            )

        # Nearly all are new, and claiming tells which are not. What is wrong as well as known is
        # looked for, not claimed: it is a duplicate all the same.
        sifted = sift(set())
        wanted = {event.event_id for event in sifted.new}
        wrong = [events[one.index] for one in sifted.recorded.rejections]
        known = log_tables.known_ids(self._connection, tenant, {one.event_id for one in wrong})
        claimed = log_tables.claim(self._connection, tenant, wanted)
        known |= wanted - claimed
        # After that: who compacts an event gives its id back, and is waited for. Of who was erased
        # nothing is known, not even which events were there.
        asked = claimed.union(one.event_id for one in wrong if one.profile_id not in erased)
        gone = kept_tables.known_ids(self._connection, tenant, asked)
        if gone & claimed:
            log_tables.unclaim(self._connection, tenant, gone & claimed)
        known |= gone
        if known:
            sifted = sift(known)
        if sifted.new:
            self._events.append((tenant, now_ms, sifted.new))
        return sifted.recorded

    def record_decisions(self, tenant: str, decisions: Sequence[Decision], now_ms: int) -> Recorded:
        """Store what is new and right."""
        erased = self._erased(tenant, {decision.profile_id for decision in decisions})
        decision_tables.drop_old(self._connection, now_ms)
        known = decision_tables.known_ids(
            self._connection, tenant, [decision.page_id for decision in decisions]
        )
        sifted = sift_decisions(decisions, known_ids=known, erased_ids=erased, now_ms=now_ms)
        wanted = {decision.page_id for decision in sifted.new}
        identities = self._identities.made(tenant, {one.profile_id for one in sifted.new})
        stored = decision_tables.insert(self._connection, tenant, sifted.new, now_ms, identities)
        if stored != wanted:
            known |= wanted - stored
            sifted = sift_decisions(decisions, known_ids=known, erased_ids=erased, now_ms=now_ms)
        if sifted.new:
            self._decisions.append((tenant, sifted.new))
        return sifted.recorded

    def upsert_profiles(self, tenant: str, profiles: Sequence[Profile]) -> int:
        """Create or replace; returns how many distinct ones."""
        ids = {profile.profile_id for profile in profiles}
        check_not_erased(profiles, self._erased(tenant, ids))
        identities = self._identities.made(tenant, ids)
        count = profile_tables.upsert(self._connection, tenant, self._batch(), profiles, identities)
        self._profile_counts.append((tenant, count))
        return count

    def erase_profile(
        self, tenant: str, profile_id: str, services: Sequence[str], now_ms: int
    ) -> Erasure:
        """Remove what is held of a profile and leave a tombstone, once."""
        erasure_tables.lock(self._connection, tenant, is_erasure=True)
        pseudonym = self._identities.pseudonyms.of(tenant, profile_id)
        known = erasure_tables.read(self._connection, tenant, pseudonym)
        if known is not None:
            return known
        identity = self._identities.made(tenant, [profile_id]).get(profile_id)
        if identity is None:
            person = self._identities.destroyed(tenant, [profile_id])[profile_id]
        else:
            person = identity.person
        taken = self._untaken(tenant, profile_id)
        removed = erasure_tables.remove(self._connection, tenant, person)
        title_ids = removed.title_ids.union(
            event.title_id for event in taken if event.kind in RECORD_KINDS
        )
        times = [event.occurred_ms for event in taken]
        if removed.oldest_ms is not None:
            times.append(removed.oldest_ms)
        erasure = Erasure(
            erased_ms=now_ms,
            event_count=removed.event_count + len(taken),
            decision_count=removed.decision_count,
            title_count=len(title_ids),
            had_profile=removed.had_profile,
            oldest_event_ms=min(times, default=None),
            services=tuple(ServiceErasure(service) for service in services),
        )
        erasure_tables.insert(self._connection, tenant, pseudonym, removed.erased_xid, erasure)
        return erasure

    def _untaken(self, tenant: str, profile_id: str) -> list[Event]:
        """Drop what this transaction has taken of a profile and not written yet."""
        dropped: list[Event] = []
        for place, (whose, came_ms, events) in enumerate(self._events):
            if whose == tenant:
                dropped += [event for event in events if event.profile_id == profile_id]
                kept = [event for event in events if event.profile_id != profile_id]
                self._events[place] = (whose, came_ms, kept)
        for place, (whose, decisions) in enumerate(self._decisions):
            if whose == tenant:
                others = [one for one in decisions if one.profile_id != profile_id]
                self._decisions[place] = (whose, others)
        if dropped:
            ids = [event.event_id for event in dropped]
            log_tables.unclaim(self._connection, tenant, ids)
        return dropped

    def compact(self, until_ms: int, after: Place, most: int) -> CompactionStep:
        """Compact some events with occurred_ms ≤ `until_ms`, of persons behind `after`."""
        return compaction.step(
            self._connection, self._identities, self._lock, until_ms, after, most
        )

    def confirm_erasure(self, tenant: str, profile_id: str, answer: ServiceErasure) -> Erasure:
        """Note what a service has answered; raises NotFound for a profile that was not erased."""
        pseudonym = self._identities.pseudonyms.of(tenant, profile_id)
        known = erasure_tables.read(self._connection, tenant, pseudonym)
        if known is None:
            raise NotFound("erasure", pseudonym)
        erasure = known.confirmed(answer)
        erasure_tables.update(self._connection, tenant, pseudonym, erasure)
        return erasure

    def finish(self) -> None:
        """Write what was taken, and commit."""
        with self.call():
            # Before the log is touched: whoever makes a partition waits for those that have.
            self._partitions.ensure(
                event.occurred_ms for _, _, events in self._events for event in events
            )
            events = _by_tenant((tenant, some) for tenant, _, some in self._events)
            decisions = _by_tenant(self._decisions)
            # Calls of one group come within milliseconds of each other.
            now_ms = max((came_ms for _, came_ms, _ in self._events), default=0)
            for tenant in sorted({*events, *decisions}):
                self._settle(tenant, events.get(tenant, []), decisions.get(tenant, []), now_ms)
            self._note_batches(events)
            self._connection.execute("COMMIT")

    def _settle(
        self, tenant: str, events: Sequence[Event], decisions: Sequence[Decision], now_ms: int
    ) -> None:
        ids = {event.profile_id for event in events} | {one.profile_id for one in decisions}
        identities = self._identities.made(tenant, ids)
        shown = [event for event in events if decision_tables.is_attributable(event)]
        if shown or decisions:
            decision_tables.lock_attribution(self._connection, tenant, is_decision=bool(decisions))
        said = (
            decision_tables.attributions(self._connection, tenant, shown, identities)
            if shown
            else {}
        )
        if events:
            log_tables.append(
                self._connection, tenant, self._batch(), events, said, now_ms, identities
            )
        if decisions:
            decision_tables.attribute_earlier_impressions(
                self._connection, tenant, decisions, identities
            )

    def _note_batches(self, events: dict[str, list[Event]]) -> None:
        """Tell whoever follows the log what this transaction holds."""
        profile_counts: dict[str, int] = {}
        for tenant, count in self._profile_counts:
            profile_counts[tenant] = profile_counts.get(tenant, 0) + count
        for tenant in sorted({*events, *profile_counts}):
            times = [event.occurred_ms for event in events.get(tenant, [])]
            self._connection.execute(
                "INSERT INTO batches (tenant, batch_id, written_xid, written_at, event_count,"
                " profile_count, from_ms)"
                " VALUES (%s, %s, pg_current_xact_id(), clock_timestamp(), %s, %s, %s)",
                (
                    tenant,
                    self._batch(),
                    len(times),
                    profile_counts.get(tenant, 0),
                    min(times, default=0),
                ),
            )

    def _batch(self) -> int:
        if self._batch_id is None:
            [(number,)] = self._connection.execute("SELECT nextval('batch_numbers')").fetchall()
            self._batch_id = int(number)
        return self._batch_id


def _by_tenant(held: Iterable[tuple[str, Sequence[ValueT]]]) -> dict[str, list[ValueT]]:
    found: dict[str, list[ValueT]] = {}
    for tenant, values in held:
        if not values:
            continue
        found.setdefault(tenant, []).extend(values)
    return found
