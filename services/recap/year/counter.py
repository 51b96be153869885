"""Counting one profile's recap while a caller waits: both programs, held ready by tenant."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from libs.domain.title import Title
from services.recap.ports import HeldHistory
from services.recap.year.catalogue import Catalogue
from services.recap.year.cohort import Cohorts
from services.recap.year.counting import compare, count_all, full_members, recaps
from services.recap.year.history import of_days
from services.recap.year.period import Period
from services.recap.year.recap import Recap
from services.recap.year.split import by_person, divided, divided_days, split
from services.recap.year.walk import Walk
from services.recap.year.wall_clock import WallClock
from services.recap.year.watched import watched


class KnownTitles(Protocol):
    """A tenant's catalogue and its version."""

    @property
    def titles(self) -> Mapping[str, Title]:
        """By id."""
        ...

    @property
    def version(self) -> int:
        """Grows with every change."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """The catalogue of one tenant, and the same as tables."""

    version: int
    titles: Mapping[str, Title]
    catalogue: Catalogue


class Counter:
    """Counts for any thread; at most `most_tenants` are held ready."""

    def __init__(self, *, most_tenants: int) -> None:
        self._most = most_tenants
        self._ready: OrderedDict[str, _Ready] = OrderedDict()
        self._lock = threading.Lock()
        self._clock = WallClock()
        self._clock_lock = threading.Lock()

    def count(
        self,
        tenant: str,
        titles: KnownTitles,
        held: HeldHistory,
        country: str,
        period: Period,
        cutoff_ms: int,
        cohorts: Cohorts,
        *,
        is_whole: bool = False,
    ) -> dict[str, Recap]:
        """What the batch makes of a history, which is all of one profile; by person.

        "" is the whole profile; that it is one person's `is_whole` says without an assessment.
        """
        ready = self._of(tenant, titles)
        history = held.events
        days = of_days((held.profile_id, day) for day in held.days)
        whole_ids = [held.profile_id] if is_whole else []
        parts = split(history, ready.catalogue, period, cutoff_ms, days, whole_ids)
        with self._clock_lock:
            wall = self._clock.days_and_hours(history)
        walk = Walk.of(held, ready.titles, wall, period, cutoff_ms, parts.whose)
        seen = watched(
            divided(history, parts),
            ready.catalogue,
            period,
            cutoff_ms,
            divided_days(days, parts),
        )
        stories = count_all(seen, walk)
        members = full_members(stories, {held.profile_id: country})
        if members.height and cohorts.axes:
            stories |= compare(stories, members, cohorts, walk)
        return {who: recap for _, who, recap in by_person(recaps(stories), parts)}

    def close(self) -> None:
        """Forget all; nobody may be counting."""
        self._clock.close()
        self._ready.clear()

    def _of(self, tenant: str, titles: KnownTitles) -> _Ready:
        with self._lock:
            ready = self._ready.get(tenant)
            # Before the titles: where they change in between, they are read again the next time.
            version = titles.version
            if ready is None or ready.version != version:
                known = titles.titles
                ready = _Ready(version, known, Catalogue.of(known.values()))
                self._ready[tenant] = ready
            self._ready.move_to_end(tenant)
            while len(self._ready) > self._most:
                self._ready.popitem(last=False)
            return ready
