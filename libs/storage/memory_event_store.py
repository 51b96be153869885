"""The event store in memory: what the embedded store is compared with, and tests stand on.

It keeps the events and computes every feature when it is read, so it cannot forget to update one.
"""

import contextlib
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from libs.domain.decision import Decision
from libs.domain.event import EVENT_SCHEMA_VERSION, Attribution, Event, EventKind, Recording
from libs.domain.profile import Profile
from libs.features.event_columns import EventColumns, from_events
from libs.features.profile_state import ProfileState, replay
from libs.features.title_replay import TitleReplay
from libs.features.title_table import LiveTitleCounters, TitleTable
from libs.storage.decision_table import KEPT_MS, by_title
from libs.storage.recorded import Recorded, sift_decisions, sift_events

ValueT = TypeVar("ValueT")


class MemoryEventStore:
    """As SqliteEventStore, for as long as the process lives."""

    def __init__(self) -> None:
        self._events: dict[str, dict[str, Event]] = {}
        self._decisions: dict[str, dict[str, tuple[Decision, int]]] = {}
        self._profiles: dict[str, dict[str, Profile]] = {}
        self._lock = threading.RLock()

    def close(self) -> None:
        """Nothing is held."""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes of the block visible together; inside, each call still fails alone."""
        with self._lock:
            events, decisions = _copied(self._events), _copied(self._decisions)
            profiles = _copied(self._profiles)
            try:
                yield
            except BaseException:
                self._events, self._decisions, self._profiles = events, decisions, profiles
                raise

    def record_events(self, tenant: str, events: Sequence[Event], now_ms: int) -> Recorded:
        """Append what is new and right of a batch."""
        recording = Recording(now_ms, EVENT_SCHEMA_VERSION)
        with self._lock:
            known = self._events.setdefault(tenant, {})
            profiles = self._profiles.get(tenant, {}).values()
            accounts = {profile.profile_id: profile.account_id for profile in profiles}
            sifted = sift_events(events, known_ids=known, accounts=accounts, now_ms=now_ms)
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
            sifted = sift_decisions(decisions, known_ids=kept, now_ms=now_ms)
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
            self._profiles.setdefault(tenant, {}).update(given)
        return len(given)

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
        wanted = [
            event
            for event in self._all(tenant)
            if event.profile_id == profile_id
            and (before is None or event.order < before)
            and (not title_id or event.title_id == title_id)
            and (not kinds or event.kind in kinds)
            and (as_of_ms is None or event.occurred_ms <= as_of_ms)
        ]
        return sorted(wanted, key=lambda event: event.order, reverse=True)[:most]

    def profile_state(self, tenant: str, profile_id: str, as_of_ms: int | None) -> ProfileState:
        """The features of everything recorded, or of the events at or before `as_of_ms`."""
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

        def read(after_ms: int, to_ms: int) -> EventColumns:
            return from_events(
                event for event in self._all(tenant) if after_ms < event.occurred_ms <= to_ms
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
