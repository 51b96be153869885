"""The event store in memory: what the embedded store is compared with, and tests stand on.

It keeps the events and computes every feature when it is read, so it cannot forget to update one.
"""

import contextlib
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from libs.domain.decision import Decision
from libs.domain.erasure import Erasure, ServiceErasure
from libs.domain.event import EVENT_SCHEMA_VERSION, Attribution, Event, EventKind, Recording
from libs.domain.profile import Profile
from libs.faults import HistoryCompacted, NotFound
from libs.features.event_columns import EventColumns, from_events
from libs.features.profile_state import ProfileState, replay
from libs.features.title_replay import TitleReplay
from libs.features.title_table import LiveTitleCounters, TitleTable
from libs.features.watched_days import WatchedDay, watched_days
from libs.storage.compaction import CompactionStep, Place
from libs.storage.decision_table import KEPT_MS, by_title
from libs.storage.history_row import HistoryRow, history_row
from libs.storage.recorded import Recorded, check_not_erased, sift_decisions, sift_events

ValueT = TypeVar("ValueT")


class MemoryEventStore:
    """As SqliteEventStore, for as long as the process lives."""

    def __init__(self) -> None:
        self._events: dict[str, dict[str, Event]] = {}
        self._decisions: dict[str, dict[str, tuple[Decision, int]]] = {}
        self._profiles: dict[str, dict[str, Profile]] = {}
        self._erasures: dict[str, dict[str, Erasure]] = {}
        # What is compacted is only no longer told: features and days are made of everything.
        self._compacted: dict[str, dict[str, None]] = {}
        self._compacted_until_ms: dict[str, int] = {}
        self._lock = threading.RLock()

    def close(self) -> None:
        """Nothing is held."""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes of the block visible together; inside, each call still fails alone."""
        with self._lock:
            events, decisions = _copied(self._events), _copied(self._decisions)
            profiles, erasures = _copied(self._profiles), _copied(self._erasures)
            compacted, until_ms = _copied(self._compacted), dict(self._compacted_until_ms)
            try:
                yield
            except BaseException:
                self._events, self._decisions = events, decisions
                self._profiles, self._erasures = profiles, erasures
                self._compacted, self._compacted_until_ms = compacted, until_ms
                raise

    def record_events(self, tenant: str, events: Sequence[Event], now_ms: int) -> Recorded:
        """Append what is new and right of a batch."""
        recording = Recording(now_ms, EVENT_SCHEMA_VERSION)
        with self._lock:
            known = self._events.setdefault(tenant, {})
            profiles = self._profiles.get(tenant, {}).values()
            accounts = {profile.profile_id: profile.account_id for profile in profiles}
            sifted = sift_events(
                events,
                known_ids=known,
                accounts=accounts,
                erased_ids=self._erasures.get(tenant, {}),
                now_ms=now_ms,
            )
            for event in sifted.new:
                new = replace(event, attribution=None, account_id="", recording=recording)
                known[event.event_id] = self._attributed(tenant, new)
            return sifted.recorded

    def record_decisions(self, tenant: str, decisions: Sequence[Decision], now_ms: int) -> Recorded:
        """Store what is new and right of a batch, each page_id once."""
        with self._lock:
            kept = {
                page_id: (decision, recorded_ms)
                for page_id, (decision, recorded_ms) in self._decisions.get(tenant, {}).items()
                if recorded_ms >= now_ms - KEPT_MS
            }
            erased = self._erasures.get(tenant, {})
            sifted = sift_decisions(decisions, known_ids=kept, erased_ids=erased, now_ms=now_ms)
            for decision in sifted.new:
                kept[decision.page_id] = (decision, now_ms)
            self._decisions[tenant] = kept
            events = self._events.setdefault(tenant, {})
            for event_id, event in events.items():
                events[event_id] = self._attributed(tenant, event)
            return sifted.recorded

    def upsert_profiles(self, tenant: str, profiles: Sequence[Profile]) -> int:
        """Create or replace whole profiles; returns how many distinct ones."""
        given = {profile.profile_id: profile for profile in profiles}
        with self._lock:
            check_not_erased(profiles, self._erasures.get(tenant, {}))
            self._profiles.setdefault(tenant, {}).update(given)
        return len(given)

    def erase_profile(
        self, tenant: str, profile_id: str, services: Sequence[str], now_ms: int
    ) -> Erasure:
        """Delete all that is held of a profile and remember that, `services` are to follow."""
        with self._lock:
            erasures = self._erasures.setdefault(tenant, {})
            if profile_id in erasures:
                return erasures[profile_id]
            state = self.profile_state(tenant, profile_id, None)
            events = self._events.setdefault(tenant, {})
            own = [event for event in events.values() if event.profile_id == profile_id]
            for event in own:
                del events[event.event_id]
                self._compacted.get(tenant, {}).pop(event.event_id, None)
            decisions = self._decisions.setdefault(tenant, {})
            pages = [
                page_id
                for page_id, (decision, _) in decisions.items()
                if decision.profile_id == profile_id
            ]
            for page_id in pages:
                del decisions[page_id]
            profile = self._profiles.get(tenant, {}).pop(profile_id, None)
            erasures[profile_id] = Erasure(
                erased_ms=now_ms,
                event_count=len(own),
                decision_count=len(pages),
                title_count=len(state.title_ids),
                had_profile=profile is not None,
                oldest_event_ms=min((event.occurred_ms for event in own), default=None),
                services=tuple(ServiceErasure(service) for service in services),
            )
            return erasures[profile_id]

    def confirm_erasure(self, tenant: str, profile_id: str, answer: ServiceErasure) -> Erasure:
        """Note what a service has answered; raises NotFound for a profile that was not erased."""
        with self._lock:
            erasures = self._erasures.get(tenant, {})
            if profile_id not in erasures:
                raise NotFound("erasure", profile_id)
            erasures[profile_id] = erasures[profile_id].confirmed(answer)
            return erasures[profile_id]

    def compact(self, until_ms: int, after: Place) -> CompactionStep:
        """Tell no more of the events with occurred_ms ≤ `until_ms`, all in one step."""
        count = 0
        with self._lock:
            for tenant in self._events:
                old = [
                    event
                    for event in self._told(tenant)
                    if event.occurred_ms <= until_ms and event.kind is not EventKind.THUMB
                ]
                if old:
                    count += len(old)
                    self._compacted.setdefault(tenant, {}).update(
                        dict.fromkeys(event.event_id for event in old)
                    )
                    self._compacted_until_ms[tenant] = max(
                        until_ms, self.compacted_until_ms(tenant)
                    )
        return CompactionStep(count, None)

    def compacted_until_ms(self, tenant: str) -> int:
        """Up to when events may be compacted, and history lacks some of them; −1 for never."""
        return self._compacted_until_ms.get(tenant, -1)

    def watched_days(self, tenant: str, profile_id: str) -> list[WatchedDay]:
        """All days of a profile, by (day, title id)."""
        return watched_days(event for event in self._all(tenant) if event.profile_id == profile_id)

    def _check_told(self, tenant: str, as_of_ms: int | None) -> None:
        until_ms = self.compacted_until_ms(tenant)
        if as_of_ms is not None and as_of_ms < until_ms:
            raise HistoryCompacted(as_of_ms, until_ms)

    def _told(self, tenant: str) -> list[Event]:
        compacted = self._compacted.get(tenant, {})
        return [event for event in self._all(tenant) if event.event_id not in compacted]

    def pending_erasures(self) -> list[tuple[str, str]]:
        """(tenant, profile_id) of every erasure that some service has not confirmed."""
        with self._lock:
            return sorted(
                (tenant, profile_id)
                for tenant, erasures in self._erasures.items()
                for profile_id, erasure in erasures.items()
                if not erasure.is_complete
            )

    def scrub(self, profile_ids: Collection[str] = ()) -> bool:
        """Nothing is left anywhere."""
        return True

    def decisions_of(self, tenant: str, profile_id: str) -> list[dict[str, Any]]:
        """The decisions that are kept of a profile, oldest first."""
        with self._lock:
            kept = [decision for decision, _ in self._decisions.get(tenant, {}).values()]
        own = [decision for decision in kept if decision.profile_id == profile_id]
        return [
            {
                "page_id": one.page_id,
                "decided_ms": one.decided_ms,
                "purpose": one.purpose.name,
                "surface": one.surface.name,
                "policy": one.policy,
                "model_version": one.model_version,
                "index_version": one.index_version,
                "arm": one.arm,
                "degraded": [part.name for part in one.degraded],
                "title_ids": list(one.title_ids),
                "propensities": list(one.propensities),
                "removed_title_ids": list(one.removed_title_ids),
                "removed_reasons": list(one.removed_reasons),
            }
            for one in sorted(own, key=lambda one: (one.decided_ms, one.page_id))
        ]

    def profiles(self, tenant: str, profile_ids: Sequence[str]) -> list[Profile]:
        """Those that exist, in the order asked for."""
        with self._lock:
            known = self._profiles.get(tenant, {})
            return [known[profile_id] for profile_id in profile_ids if profile_id in known]

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
        self._check_told(tenant, as_of_ms)
        wanted = [
            event
            for event in self._told(tenant)
            if event.profile_id == profile_id
            and (before is None or event.order < before)
            and (not title_id or event.title_id == title_id)
            and (not kinds or event.kind in kinds)
            and (as_of_ms is None or event.occurred_ms <= as_of_ms)
        ]
        return sorted(wanted, key=lambda event: event.order, reverse=True)[:most]

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
        self._check_told(tenant, as_of_ms)
        return replay(
            event
            for event in self._all(tenant)
            if event.profile_id == profile_id
            and (as_of_ms is None or event.occurred_ms <= as_of_ms)
        )

    def title_table(
        self, tenant: str, as_of_ms: int | None, country: str, *, now_ms: int
    ) -> TitleTable:
        """Counters of everything recorded at `now_ms`, or of the events at or before `as_of_ms`."""
        self._check_told(tenant, as_of_ms)

        def read(after_ms: int, to_ms: int) -> EventColumns:
            until = [event for event in self._all(tenant) if event.occurred_ms <= to_ms]
            return from_events(
                [event for event in until if event.occurred_ms > after_ms],
                [event for event in until if event.occurred_ms <= after_ms],
            )

        if as_of_ms is not None:
            return TitleReplay(read).table(as_of_ms, (country,))
        live = LiveTitleCounters()
        live.add(from_events(self._all(tenant)))
        return live.table(now_ms, (country,))

    def _all(self, tenant: str) -> list[Event]:
        with self._lock:
            return list(self._events.get(tenant, {}).values())

    def _attributed(self, tenant: str, event: Event) -> Event:
        placement = event.placement
        if event.kind is not EventKind.IMPRESSION or placement is None or event.attribution:
            return event
        decision, _ = self._decisions.get(tenant, {}).get(placement.page_id, (None, 0))
        if decision is None or decision.profile_id != event.profile_id:
            return event
        said = by_title(decision.title_ids, decision.propensities)
        if event.title_id not in said:
            return event
        attribution = Attribution(
            decision.policy,
            said[event.title_id],
            decision.model_version,
            decision.index_version,
            decision.arm,
        )
        return replace(event, attribution=attribution)


def _copied(tables: dict[str, dict[str, ValueT]]) -> dict[str, dict[str, ValueT]]:
    return {tenant: dict(rows) for tenant, rows in tables.items()}
