"""Title counters in memory: those of now, followed in the store, and those of past times."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from libs.faults import DeadlineSpent, PartUnavailable
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.title_table import LiveTitleCounters, TitleChanges, TitleTable

# Counters that were not confirmed for so long count as missing (PART_TITLE_FEATURES).
STALE_MS: Final = 60_000
# Counters fade even when nobody watches; a table is decayed anew after so long.
FADED_MS: Final = 10_000
# A batch asks many profiles at few times; a table is some hundred kB.
PAST_TABLES: Final = 16
# Statistics of a country are some MB for 100k titles; those asked for last are kept.
MOST_COUNTRIES: Final = 64
# A table of a past time may take so long to be made.
ASK_S: Final = 10.0

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

    def refresh(self, prepare: Callable[[TitleTable], None] = lambda table: None) -> None:
        """Take over what has changed; `prepare` sees a new table before anybody else does.

        Raises PartUnavailable while the store is not there. Reads a file: not for the event
        loop, and one caller at a time.
        """
        changes = self._features.title_changes(self._tenant, self._last_change)
        now_ms = self._clock()
        is_changed = changes.last_change != self._last_change
        if is_changed:
            self._counters.apply(changes)
            self._last_change = changes.last_change
        if is_changed or self._table is None or now_ms - self._table.as_of_ms > FADED_MS:
            table = self._counters.table(now_ms)
            prepare(table)
            self._table = table
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
        """The counters of then, those of `country` with them.

        Raises a Fault when they cannot be had, DeadlineSpent when not within `timeout_s`.
        """
        key = (tenant, as_of_ms, country)
        task = self._asked.get(key)
        if task is None:
            # Its own time, not that of the call which happens to be first: others wait for the
            # same table, and one that comes too late for this call is there for the next.
            task = self._asked[key] = asyncio.create_task(
                self._features.title_table(
                    tenant, as_of_ms=as_of_ms, country=country, timeout_s=ASK_S
                )
            )
            task.add_done_callback(lambda done: self._forget_failed(key, done))
            if len(self._asked) > PAST_TABLES:
                self._asked.popitem(last=False)
        self._asked.move_to_end(key)
        try:
            return await asyncio.wait_for(asyncio.shield(task), min(timeout_s, ASK_S))
        except TimeoutError:
            raise DeadlineSpent("title features") from None

    def _forget_failed(self, key: tuple[str, int, str], task: "asyncio.Task[TitleTable]") -> None:
        """A failure is the answer of those who waited, and is not kept for the next."""
        if (task.cancelled() or task.exception() is not None) and self._asked.get(key) is task:
            del self._asked[key]


@dataclass(frozen=True, slots=True, eq=False)
class _Derived(Generic[T]):
    """What was derived of one table and one catalogue, by country."""

    table: TitleTable
    columns: CatalogueColumns
    by_country: dict[str, T]


class DerivedByCountry(Generic[T]):
    """What `derive` makes of a table, a catalogue and a country; of the last few pairs.

    `prepare` may run on another thread than `of`: what is held is replaced as a whole.
    """

    def __init__(
        self, derive: Callable[[TitleTable, CatalogueColumns, str], T], *, most_tables: int
    ) -> None:
        self._derive = derive
        self._most_tables = most_tables
        self._held: tuple[_Derived[T], ...] = ()

    def of(self, table: TitleTable, columns: CatalogueColumns, country: str) -> T:
        """The derived value, made at the first request for it."""
        derived = self._find(table, columns)
        if derived is None:
            derived = _Derived(table, columns, {})
            self._hold(derived)
        by_country = derived.by_country
        if country in by_country:
            value = by_country.pop(country)
        else:
            value = self._derive(table, columns, country)
            if len(by_country) >= MOST_COUNTRIES:
                by_country.pop(next(iter(by_country)))
        by_country[country] = value  # the newest last
        return value

    def prepare(self, table: TitleTable, columns: CatalogueColumns) -> None:
        """Derive for the countries asked about before, so that requests find it done."""
        before = next((held for held in self._held if held.columns is columns), None)
        countries = list(before.by_country) if before else []
        values = {country: self._derive(table, columns, country) for country in countries}
        self._hold(_Derived(table, columns, values))

    def _find(self, table: TitleTable, columns: CatalogueColumns) -> _Derived[T] | None:
        for held in self._held:
            if held.table is table and held.columns is columns:
                return held
        return None

    def _hold(self, derived: _Derived[T]) -> None:
        self._held = (derived, *self._held)[: self._most_tables]
