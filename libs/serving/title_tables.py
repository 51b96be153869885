"""Title counters in memory: those of now, followed in the store, and those of past times."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from libs.faults import PartUnavailable
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.title_table import LiveTitleCounters, TitleChanges, TitleTable

# Counters that were not confirmed for so long count as missing (PART_TITLE_FEATURES).
STALE_MS: Final = 60_000
# Counters fade even when nobody watches; a table is decayed anew after so long.
FADED_MS: Final = 10_000
# A batch asks many profiles at few times; a table is some hundred kB.
PAST_TABLES: Final = 16
# What is derived of a table is kept for so many countries, catalogues and tables together.
MOST_KEPT: Final = 64

T = TypeVar("T")


class LiveTitleFeatures(Protocol):
    """The feature store's title counters, read as they change."""

    def title_changes(self, tenant: str, after_change: int) -> TitleChanges:
        """Rows changed since; raises PartUnavailable while the store is not there."""
        ...


class PastTitleFeatures(Protocol):
    """Title counters as of a past time."""

    async def title_table(
        self, tenant: str, *, as_of_ms: int | None, country: str, timeout_s: float
    ) -> TitleTable:
        """The counters, with those of `country`; raises a Fault when they cannot be had."""
        ...


class LiveTables:
    """The table of now for one tenant, refreshed by whoever holds it."""

    def __init__(self, features: LiveTitleFeatures, tenant: str, clock: Callable[[], int]) -> None:
        self._features = features
        self._tenant = tenant
        self._clock = clock
        self._counters = LiveTitleCounters()
        self._last_change = 0
        self._confirmed_ms: int | None = None
        self._table: TitleTable | None = None

    def refresh(self) -> None:
        """Take over what has changed; raises PartUnavailable while the store is not there.

        Reads a file: not for the event loop, and one caller at a time.
        """
        changes = self._features.title_changes(self._tenant, self._last_change)
        now_ms = self._clock()
        is_changed = changes.last_change != self._last_change
        if is_changed:
            self._counters.apply(changes)
            self._last_change = changes.last_change
        if is_changed or self._table is None or now_ms - self._table.as_of_ms > FADED_MS:
            self._table = self._counters.table(now_ms)
        self._confirmed_ms = now_ms

    def age_ms(self) -> int | None:
        """Since the feature store was last heard of; None if never."""
        return None if self._confirmed_ms is None else self._clock() - self._confirmed_ms

    def table(self) -> TitleTable:
        """The newest table; raises PartUnavailable when it is older than STALE_MS."""
        age_ms = self.age_ms()
        if self._table is None or age_ms is None or age_ms > STALE_MS:
            raise PartUnavailable("title features", "no counters were read for a minute")
        return self._table


class PastTables:
    """Tables as of past times, asked from the events service once for each."""

    def __init__(self, features: PastTitleFeatures) -> None:
        self._features = features
        self._asked: OrderedDict[tuple[str, int, str], asyncio.Task[TitleTable]] = OrderedDict()

    async def table(
        self, tenant: str, country: str, *, as_of_ms: int, timeout_s: float
    ) -> TitleTable:
        """The counters of then, those of `country` with them; raises a Fault if not in time."""
        key = (tenant, as_of_ms, country)
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(
                self._features.title_table(
                    tenant, as_of_ms=as_of_ms, country=country, timeout_s=timeout_s
                )
            )
            task.add_done_callback(lambda done: self._forget_failed(key, done))
            if len(self._asked) > PAST_TABLES:
                self._asked.popitem(last=False)
        self._asked.move_to_end(key)
        # Others may wait for the same table, so it outlives the call that asked first.
        return await asyncio.shield(task)

    def _forget_failed(self, key: tuple[str, int, str], task: "asyncio.Task[TitleTable]") -> None:
        """A failure is the answer of those who waited, and is not kept for the next."""
        if (task.cancelled() or task.exception() is not None) and self._asked.get(key) is task:
            del self._asked[key]


class DerivedByCountry(Generic[T]):
    """What `derive` makes of a table, a catalogue and a country; the last few are kept."""

    def __init__(self, derive: Callable[[TitleTable, CatalogueColumns, str], T]) -> None:
        self._derive = derive
        self._kept: OrderedDict[tuple[int, int, str], tuple[TitleTable, CatalogueColumns, T]] = (
            OrderedDict()
        )

    def of(self, table: TitleTable, columns: CatalogueColumns, country: str) -> T:
        """The derived value, made at the first request for it."""
        # Identities are keys for as long as the entry itself keeps both alive.
        key = (id(table), id(columns), country)
        if key not in self._kept:
            self._kept[key] = (table, columns, self._derive(table, columns, country))
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key][2]
