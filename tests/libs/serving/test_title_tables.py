import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest

from libs.faults import DeadlineSpent, PartUnavailable
from libs.features.catalogue_columns import CatalogueColumns, from_titles
from libs.features.title_counters import TITLE_COUNTER_COUNT
from libs.features.title_table import EMPTY, TitleChanges, TitleTable
from libs.serving.title_tables import (
    FADED_MS,
    MOST_COUNTRIES,
    PAST_TABLES,
    STALE_MS,
    DerivedByCountry,
    LiveTables,
    PastTables,
)

NOW_MS = 1_760_000_000_000


@dataclass
class Store:
    """A feature store whose changes, absence and clock a test decides."""

    now_ms: int = NOW_MS
    titles: list[str] = field(default_factory=list)
    is_there: bool = True

    def clock(self) -> int:
        return self.now_ms

    def title_changes(self, tenant: str, after_change: int) -> TitleChanges:
        if not self.is_there:
            raise PartUnavailable("features", "gone")
        new = tuple(self.titles[after_change:])
        return TitleChanges(
            countries=("",) * len(new),
            title_ids=new,
            counters=np.ones((len(new), TITLE_COUNTER_COUNT)),
            at_ms=np.full(len(new), self.now_ms, dtype=np.int64),
            last_change=len(self.titles),
        )


class TestLiveTables:
    def test_follows_the_store(self) -> None:
        store = Store(titles=["t1"])
        live = LiveTables(store, "default", store.clock)
        live.refresh()
        assert live.table().title_ids == ("t1",)
        store.titles.append("t0")
        live.refresh()
        assert live.table().title_ids == ("t0", "t1")

    def test_there_is_no_table_before_the_first_look(self) -> None:
        store = Store()
        with pytest.raises(PartUnavailable):
            LiveTables(store, "default", store.clock).table()

    def test_an_empty_store_has_an_empty_table(self) -> None:
        store = Store()
        live = LiveTables(store, "default", store.clock)
        live.refresh()
        assert live.table().title_ids == ()

    def test_old_counters_serve_for_a_minute_and_then_count_as_missing(self) -> None:
        store = Store(titles=["t1"])
        live = LiveTables(store, "default", store.clock)
        live.refresh()
        store.is_there = False
        with pytest.raises(PartUnavailable):
            live.refresh()
        store.now_ms += STALE_MS
        assert live.age_ms() == STALE_MS
        assert live.table().title_ids == ("t1",)
        store.now_ms += 1
        with pytest.raises(PartUnavailable):
            live.table()

    def test_the_same_table_stays_until_something_changed_or_faded(self) -> None:
        store = Store(titles=["t1"])
        live = LiveTables(store, "default", store.clock)
        live.refresh()
        first = live.table()
        store.now_ms += FADED_MS
        live.refresh()
        assert live.table() is first
        store.now_ms += 1
        live.refresh()
        assert live.table().as_of_ms == store.now_ms


@dataclass
class Events:
    """Counts what is asked, and answers when it is told to."""

    asked: list[tuple[int | None, str]] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    is_late: bool = False

    async def title_table(
        self, tenant: str, *, as_of_ms: int | None, country: str, timeout_s: float
    ) -> TitleTable:
        self.asked.append((as_of_ms, country))
        await self.go.wait()
        if self.is_late:
            raise DeadlineSpent("title features")
        return TitleTable(as_of_ms or 0, (), EMPTY.counters, {})


class TestPastTables:
    async def test_many_who_ask_for_one_time_share_one_call(self) -> None:
        events = Events()
        past = PastTables(events)
        waiting = [
            asyncio.create_task(past.table("default", "PT", as_of_ms=5, timeout_s=1))
            for _ in range(10)
        ]
        await asyncio.sleep(0)
        events.go.set()
        assert len({id(table) for table in await asyncio.gather(*waiting)}) == 1
        assert events.asked == [(5, "PT")]

    async def test_who_gives_up_takes_nothing_from_the_others(self) -> None:
        events = Events()
        past = PastTables(events)
        first = asyncio.create_task(past.table("default", "PT", as_of_ms=5, timeout_s=1))
        second = asyncio.create_task(past.table("default", "PT", as_of_ms=5, timeout_s=1))
        await asyncio.sleep(0)
        first.cancel()
        events.go.set()
        assert (await second).as_of_ms == 5

    async def test_a_failure_is_not_kept(self) -> None:
        events = Events(is_late=True)
        events.go.set()
        past = PastTables(events)
        with pytest.raises(DeadlineSpent):
            await past.table("default", "PT", as_of_ms=5, timeout_s=1)
        events.is_late = False
        assert (await past.table("default", "PT", as_of_ms=5, timeout_s=1)).as_of_ms == 5

    async def test_each_caller_waits_its_own_time_and_the_table_is_still_made(self) -> None:
        events = Events()
        past = PastTables(events)
        patient = asyncio.create_task(past.table("default", "PT", as_of_ms=5, timeout_s=5))
        with pytest.raises(DeadlineSpent):
            await past.table("default", "PT", as_of_ms=5, timeout_s=0.01)
        events.go.set()
        assert (await patient).as_of_ms == 5
        assert len(events.asked) == 1

    async def test_a_first_caller_in_a_hurry_does_not_spoil_it_for_the_next(self) -> None:
        events = Events()
        past = PastTables(events)
        with pytest.raises(DeadlineSpent):
            await past.table("default", "PT", as_of_ms=5, timeout_s=0.01)
        events.go.set()
        assert (await past.table("default", "PT", as_of_ms=5, timeout_s=5)).as_of_ms == 5
        assert len(events.asked) == 1

    async def test_only_the_last_few_times_are_kept(self) -> None:
        events = Events()
        events.go.set()
        past = PastTables(events)
        for as_of_ms in range(PAST_TABLES + 1):
            await past.table("default", "PT", as_of_ms=as_of_ms, timeout_s=1)
        await past.table("default", "PT", as_of_ms=PAST_TABLES, timeout_s=1)
        await past.table("default", "PT", as_of_ms=0, timeout_s=1)
        assert len(events.asked) == PAST_TABLES + 2


def test_what_is_derived_is_made_once_for_a_table_a_catalogue_and_a_country() -> None:
    made: list[str] = []

    def derive(table: TitleTable, columns: CatalogueColumns, country: str) -> str:
        made.append(country)
        return country

    derived = DerivedByCountry(derive, most_tables=1)
    columns = from_titles((), ())
    assert [derived.of(EMPTY, columns, country) for country in ("PT", "DE", "PT")] == [
        "PT",
        "DE",
        "PT",
    ]
    derived.of(TitleTable(1, (), EMPTY.counters, {}), columns, "PT")
    assert made == ["PT", "DE", "PT"]


def test_only_the_countries_asked_for_last_are_held() -> None:
    made: list[str] = []

    def derive(table: TitleTable, columns: CatalogueColumns, country: str) -> str:
        made.append(country)
        return country

    derived = DerivedByCountry(derive, most_tables=1)
    columns = from_titles((), ())
    countries = [f"{place:02d}" for place in range(MOST_COUNTRIES)]
    for country in (*countries, "00", "new", "00", "01"):
        assert derived.of(EMPTY, columns, country) == country
    assert made == [*countries, "new", "01"]


def test_only_the_last_tables_are_held() -> None:
    made: list[int] = []

    def derive(table: TitleTable, columns: CatalogueColumns, country: str) -> int:
        made.append(table.as_of_ms)
        return table.as_of_ms

    derived = DerivedByCountry(derive, most_tables=2)
    columns = from_titles((), ())
    tables = [TitleTable(number, (), EMPTY.counters, {}) for number in range(4)]
    for table in (*tables, tables[3], tables[2], tables[0]):
        derived.of(table, columns, "PT")
    assert made == [0, 1, 2, 3, 0]


def test_what_was_asked_before_is_prepared_for_a_new_table() -> None:
    made: list[tuple[int, str]] = []

    def derive(table: TitleTable, columns: CatalogueColumns, country: str) -> int:
        made.append((table.as_of_ms, country))
        return table.as_of_ms

    derived = DerivedByCountry(derive, most_tables=1)
    columns = from_titles((), ())
    derived.of(TitleTable(1, (), EMPTY.counters, {}), columns, "PT")
    new = TitleTable(2, (), EMPTY.counters, {})
    derived.prepare(new, columns)
    assert made == [(1, "PT"), (2, "PT")]
    assert derived.of(new, columns, "PT") == 2
    assert len(made) == 2


def test_nobody_sees_a_table_before_it_is_prepared() -> None:
    store = Store(titles=["t1"])
    live = LiveTables(store, "default", store.clock)
    seen: list[TitleTable] = []

    def prepare(table: TitleTable) -> None:
        with pytest.raises(PartUnavailable):
            live.table()
        seen.append(table)

    live.refresh(prepare)
    assert seen == [live.table()]
