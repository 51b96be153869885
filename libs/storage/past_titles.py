"""Title counters of past times for any thread, kept true to what arrives late or is erased."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from libs.features.title_replay import ReadEvents, TitleReplay
from libs.features.title_table import TitleTable

# Ranking and candidates ask for the same past time, one after the other, of a few requests.
_KEPT_TABLES: Final = 8


class PastTitles:
    """Tables of the last few times that were asked for; `reading` gives a tenant's log."""

    def __init__(self, reading: Callable[[str], ReadEvents], most_tenants: int) -> None:
        self._reading = reading
        self._most_tenants = most_tenants
        self._lock = threading.Lock()  # held while one table is made
        self._replays: OrderedDict[str, TitleReplay] = OrderedDict()
        self._tables: OrderedDict[tuple[str, int, str], TitleTable] = OrderedDict()
        self._note_lock = threading.Lock()
        self._late_from_ms: dict[str, int] = {}

    def table(self, tenant: str, as_of_ms: int, country: str) -> TitleTable:
        """The table of the events at or before `as_of_ms`."""
        with self._lock:
            replay = self._replays.get(tenant)
            if replay is None:
                replay = self._replays[tenant] = TitleReplay(self._reading(tenant))
                if len(self._replays) > self._most_tenants:
                    self._replays.popitem(last=False)
            self._replays.move_to_end(tenant)
            # Taken before the log is read: what is noted later invalidates what is made now.
            with self._note_lock:
                late_from_ms = self._late_from_ms.pop(tenant, None)
            if late_from_ms is not None:
                replay.invalidate_after(late_from_ms)
                self._tables.clear()
            key = (tenant, as_of_ms, country)
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
