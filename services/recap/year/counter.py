"""Counting one profile's recap while a caller waits: both programs, held ready by tenant."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
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
from services.recap.year.verifier import Verifier
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
    """The catalogue of one tenant as tables, and the verifier that holds them."""

    version: int
    catalogue: Catalogue
    verifier: Verifier
    lock: threading.Lock = field(default_factory=threading.Lock)


class Counter:
    """Counts for any thread; at most `most_tenants` are held ready."""

    def __init__(self, *, most_tenants: int) -> None:
        self._most = most_tenants
        self._ready: OrderedDict[str, _Ready] = OrderedDict()
        self._lock = threading.Lock()

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
        with ready.lock:
            whole_ids = [held.profile_id] if is_whole else []
            parts = split(history, ready.catalogue, period, cutoff_ms, days, whole_ids)
            days = divided_days(days, parts)
            ready.verifier.open_history(history, period, cutoff_ms, days, parts.whose)
            seen = watched(divided(history, parts), ready.catalogue, period, cutoff_ms, days)
            stories = count_all(seen, ready.verifier)
            members = full_members(stories, {held.profile_id: country})
            if members.height and cohorts.axes:
                stories |= compare(stories, members, cohorts, ready.verifier)
        return {who: recap for _, who, recap in by_person(recaps(stories), parts)}

    def close(self) -> None:
        """Forget all; nobody may be counting."""
        for ready in self._ready.values():
            ready.verifier.close()
        self._ready.clear()

    def _of(self, tenant: str, titles: KnownTitles) -> _Ready:
        with self._lock:
            ready = self._ready.get(tenant)
            # Before the titles: where they change in between, they are read again the next time.
            version = titles.version
            if ready is None or ready.version != version:
                catalogue = Catalogue.of(titles.titles.values())
                # One that is still counting keeps its own until it is done.
                ready = _Ready(version, catalogue, Verifier(catalogue, threads=1))
                self._ready[tenant] = ready
            self._ready.move_to_end(tenant)
            while len(self._ready) > self._most:
                self._ready.popitem(last=False)
            return ready
