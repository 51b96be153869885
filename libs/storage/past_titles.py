"""Title counters of past times for any thread, kept true to what arrives late or is erased."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from libs.features.title_replay import NO_BASE, ReadBase, ReadEvents, TitleReplay
from libs.features.title_table import TitleTable

# Ranking and candidates ask for the same past time, one after the other, of a few requests.
_KEPT_TABLES: Final = 8


class PastTitles:
    """Tables of the last few times that were asked for; `reading` gives a tenant's log.

    `basing` gives what a tenant's replays go on from.
    """

    def __init__(
        self,
        reading: Callable[[str], ReadEvents],
        most_tenants: int,
        basing: Callable[[str], ReadBase] = lambda tenant: lambda: NO_BASE,
    ) -> None:
        self._reading = reading
        self._basing = basing
        self._most_tenants = most_tenants
        self._lock = threading.Lock()  # held while one table is made
        # By tenant: what the base was then, and the replay from it.
        self._replays: OrderedDict[str, tuple[int, TitleReplay]] = OrderedDict()
        self._tables: OrderedDict[tuple[str, int, str, int], TitleTable] = OrderedDict()
        self._note_lock = threading.Lock()
        self._late_from_ms: dict[str, int] = {}

    def table(
        self, tenant: str, as_of_ms: int, country: str, compacted_until_ms: int = -1
    ) -> TitleTable:
        """The table of the events at or before `as_of_ms`.

        `compacted_until_ms` is up to when the tenant's events may be compacted, and not later.
        """
        with self._lock:
            of_ms, replay = self._replays.get(tenant, (None, None))
            if replay is None or of_ms != compacted_until_ms:
                replay = TitleReplay(self._reading(tenant), self._basing(tenant))
                self._replays[tenant] = (compacted_until_ms, replay)
                if len(self._replays) > self._most_tenants:
                    self._replays.popitem(last=False)
            self._replays.move_to_end(tenant)
            # Taken before the log is read: what is noted later invalidates what is made now.
            with self._note_lock:
                late_from_ms = self._late_from_ms.pop(tenant, None)
            if late_from_ms is not None:
                replay.invalidate_after(late_from_ms)
                self._tables.clear()
            key = (tenant, as_of_ms, country, compacted_until_ms)
            table = self._tables.get(key)
            if table is None:
                table = self._tables[key] = replay.table(as_of_ms, (country,))
                if len(self._tables) > _KEPT_TABLES:
                    self._tables.popitem(last=False)
            return table

    def note_late(self, tenant: str, oldest_ms: int) -> None:
        """Events from `oldest_ms` on can be read that could not be read before."""
        with self._note_lock:
            earlier_ms = self._late_from_ms.get(tenant, oldest_ms)
            self._late_from_ms[tenant] = min(oldest_ms, earlier_ms)
