"""The title table: every title's counters at one time, and how changes keep it live."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.features.counter_rows import ALL_COUNTRIES, CounterRows, EventRows
from libs.features.counters import decay
from libs.features.event_columns import EventColumns
from libs.features.title_counters import (
    TITLE_COUNTER_COUNT,
    TITLE_HALF_LIVES_MS,
    counted,
    sums,
)
from libs.features.title_shares import TitleShares


@dataclass(frozen=True, slots=True, eq=False)
class TitleTable:
    """Counters of TITLE_COUNTER_NAMES, decayed to `as_of_ms`, of every title with any event."""

    as_of_ms: int
    title_ids: tuple[str, ...]  # ascending
    counters: NDArray[np.float32]  # (n, k)
    country_counters: Mapping[str, NDArray[np.float32]]  # (n, k) each
    newest_ms: int = 0  # the newest event that is counted; 0 for none

    def age_ms(self) -> int | None:
        """How long before `as_of_ms` the newest event was; None without any."""
        return max(self.as_of_ms - self.newest_ms, 0) if self.newest_ms else None


@dataclass(frozen=True, slots=True, eq=False)
class TitleRows:
    """Counters in somebody's own order of titles; zeros where a title has no event."""

    counters: NDArray[np.float32]  # (m, k)
    country_counters: NDArray[np.float32]  # (m, k)


@dataclass(frozen=True, slots=True, eq=False)
class TitleChanges:
    """Counter rows that changed since a reader's last look; each replaces what it had."""

    countries: tuple[str, ...]  # m, "" for all countries together
    title_ids: tuple[str, ...]  # m
    counters: NDArray[np.float64]  # (m, k)
    at_ms: NDArray[np.int64]  # (m,) what the counters are of
    last_change: int  # to ask with next time


EMPTY: Final = TitleTable(0, (), np.zeros((0, TITLE_COUNTER_COUNT), np.float32), {})


def aligned(table: TitleTable, row_ids: Sequence[str], country: str) -> TitleRows:
    """The counters of the titles `row_ids` (m,), for all countries and for one."""
    return take(table, row_index(table, row_ids), country)


def row_index(table: TitleTable, row_ids: Sequence[str]) -> NDArray[np.intp]:
    """Where each of `row_ids` (m,) is in the table; −1 for nowhere. Worth keeping per table."""
    place = {title_id: index for index, title_id in enumerate(table.title_ids)}
    return np.array([place.get(title_id, -1) for title_id in row_ids], np.intp)


def take(table: TitleTable, index: NDArray[np.intp], country: str) -> TitleRows:
    """As `aligned`, with the `row_index` (m,) made before."""
    return TitleRows(
        _rows(table.counters, index), _rows(table.country_counters.get(country), index)
    )


def _rows(counters: NDArray[np.float32] | None, index: NDArray[np.intp]) -> NDArray[np.float32]:
    rows = np.zeros((len(index), TITLE_COUNTER_COUNT), np.float32)
    if counters is not None:
        rows[index >= 0] = counters[index[index >= 0]]
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class TableLayout:
    """Where the rows of counters, which have a (country, title id) each, go in a table."""

    row_count: int
    title_ids: NDArray[np.object_]  # (t,) ascending, of all rows
    title: NDArray[np.intp]  # (r,) the place of each row's title in title_ids
    rows: Mapping[str, NDArray[np.intp]]  # the rows of each country

    @staticmethod
    def of(keys: Sequence[tuple[str, str]]) -> "TableLayout":
        """The layout of rows with `keys`; costs a sort, so it is kept until there are more."""
        title_ids = sorted({title_id for _, title_id in keys})
        place = {title_id: number for number, title_id in enumerate(title_ids)}
        rows: dict[str, list[int]] = {}
        for row, (country, _) in enumerate(keys):
            rows.setdefault(country, []).append(row)
        return TableLayout(
            row_count=len(keys),
            title_ids=np.array(title_ids, dtype=np.object_),
            title=np.array([place[title_id] for _, title_id in keys], np.intp),
            rows={country: np.array(found, np.intp) for country, found in rows.items()},
        )

    def table(
        self,
        values: NDArray[np.float64],
        is_seen: NDArray[np.bool_],
        as_of_ms: int,
        countries: Collection[str] | None,
        newest_ms: int,
    ) -> TitleTable:
        """The table of `values` (r, k); rows that are not `is_seen` (r,) do not exist."""
        has_title = np.zeros(len(self.title_ids), np.bool_)
        everywhere = self._seen(ALL_COUNTRIES, is_seen)
        has_title[self.title[everywhere]] = True
        place = np.cumsum(has_title) - 1
        tables: dict[str, NDArray[np.float32]] = {}
        for country in self.rows:
            if country == ALL_COUNTRIES or countries is None or country in countries:
                seen = self._seen(country, is_seen)
                if len(seen):
                    shape = (len(everywhere), TITLE_COUNTER_COUNT)
                    dense = tables[country] = np.zeros(shape, np.float32)
                    dense[place[self.title[seen]]] = values[seen]
        counters = tables.pop(ALL_COUNTRIES, np.zeros((0, TITLE_COUNTER_COUNT), np.float32))
        title_ids = tuple(self.title_ids[has_title].tolist())
        return TitleTable(as_of_ms, title_ids, counters, tables, newest_ms)

    def _seen(self, country: str, is_seen: NDArray[np.bool_]) -> NDArray[np.intp]:
        rows = self.rows.get(country, np.zeros(0, np.intp))
        return rows[is_seen[rows]]


class LiveTitleCounters:
    """Counters that grow with events (where they are written) or with changes (where read)."""

    def __init__(self) -> None:
        self.rows = CounterRows()
        self._values = np.zeros((0, TITLE_COUNTER_COUNT))
        self._at_ms = np.zeros(0, np.int64)
        self._layout = TableLayout.of([])

    def add(self, columns: EventColumns) -> NDArray[np.intp]:
        """Add new events; returns the rows that changed, ascending."""
        return self._changed(columns, 1.0)

    def remove(self, columns: EventColumns) -> NDArray[np.intp]:
        """Take events away that were added before; returns the rows that changed, ascending.

        What is left is what the others have added, up to rounding, and never below zero.
        """
        return self._changed(columns, -1.0)

    def add_shares(self, shares: TitleShares) -> NDArray[np.intp]:
        """Add what events that are no longer there have added; returns the rows that changed."""
        return self._merge(shares, 1.0)

    def remove_shares(self, shares: TitleShares) -> NDArray[np.intp]:
        """Take shares away that were added before; returns the rows that changed, ascending."""
        return self._merge(shares, -1.0)

    def _merge(self, shares: TitleShares, sign: float) -> NDArray[np.intp]:
        touched: list[int] = []
        places: list[int] = []
        for place, key in enumerate(zip(shares.countries, shares.title_ids, strict=True)):
            for country in {ALL_COUNTRIES, key[0]}:
                touched.append(self.rows.row(country, key[1]))
                places.append(place)
        rows, of = np.array(touched, np.intp), np.array(places, np.intp)
        self._grow()
        changed, local = np.unique(rows, return_inverse=True)
        to_ms = self._at_ms[changed]
        np.maximum.at(to_ms, local, shares.at_ms[of])
        total = self._decayed(changed, to_ms)
        aged = decay(shares.values[of], shares.at_ms[of] - to_ms[local], 0, TITLE_HALF_LIVES_MS)
        np.add.at(total, local, sign * aged)
        self._values[changed] = total if sign > 0 else np.maximum(total, 0.0)
        self._at_ms[changed] = to_ms
        return changed

    def _changed(self, columns: EventColumns, sign: float) -> NDArray[np.intp]:
        both = self.rows.of(columns, counted(columns))
        self._grow()
        for rows in both:
            self._add(columns, rows, sign)
        touched = np.unique(np.concatenate([one for rows in both for one in rows]))
        return touched[touched >= 0]

    def _add(self, columns: EventColumns, rows: EventRows, sign: float) -> None:
        distinct = np.unique(np.concatenate(rows))
        distinct = distinct[distinct >= 0]
        changed, undone = (_places(distinct, one) for one in rows)
        to_ms = self._at_ms[distinct]
        named = changed >= 0
        np.maximum.at(to_ms, changed[named], columns.occurred_ms[named])
        kept = self._decayed(distinct, to_ms)
        total = kept + sign * sums(columns, changed, len(distinct), to_ms, undone)
        # What is left after something was taken away is below zero by rounding only.
        self._values[distinct] = total if sign > 0 else np.maximum(total, 0.0)
        self._at_ms[distinct] = to_ms

    def _decayed(self, rows: NDArray[np.intp], to_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        # decay() takes one target time; ages are what matters, so each row's is moved to 0.
        return decay(self._values[rows], self._at_ms[rows] - to_ms, 0, TITLE_HALF_LIVES_MS)

    def apply(self, changes: TitleChanges) -> None:
        """Take over changed rows; later ones of a pair replace earlier ones."""
        rows = np.array(
            [
                self.rows.row(country, title_id)
                for country, title_id in zip(changes.countries, changes.title_ids, strict=True)
            ],
            np.intp,
        )
        self._grow()
        self._values[rows] = changes.counters
        self._at_ms[rows] = changes.at_ms

    def row(self, row: int) -> tuple[NDArray[np.float64], int]:
        """The counters (k,) of one row, and the time that they are of."""
        return self._values[row], int(self._at_ms[row])

    def values_at(self, at_ms: int) -> NDArray[np.float64]:
        """Every row's counters (r, k) as they are at a time that is not before any of them."""
        count = len(self.rows)
        return decay(self._values[:count], self._at_ms[:count], at_ms, TITLE_HALF_LIVES_MS)

    def encoded(self, rows: NDArray[np.intp]) -> list[bytes]:
        """Each of `rows` (m,) as `encode_counters` writes it."""
        packed = np.empty((len(rows), 1 + TITLE_COUNTER_COUNT), "<i8")
        packed[:, 0] = self._at_ms[rows]
        packed[:, 1:] = self._values[rows].astype("<f8", copy=False).view("<i8")
        return [row.tobytes() for row in packed]

    def table(self, now_ms: int, countries: Collection[str] | None = None) -> TitleTable:
        """The table at `now_ms`, with `countries` or with all of them."""
        count = len(self.rows)
        values = self.values_at(now_ms)
        if self._layout.row_count != count:
            self._layout = TableLayout.of(self.rows.keys)
        newest_ms = self.newest_ms()
        return self._layout.table(values, np.ones(count, np.bool_), now_ms, countries, newest_ms)

    def newest_ms(self) -> int:
        """When the newest event occurred that is counted; 0 without any."""
        return int(self._at_ms[: len(self.rows)].max(initial=0))

    def _grow(self) -> None:
        missing = len(self.rows) - len(self._values)
        if missing > 0:
            # Doubling keeps the copying linear in the rows that ever come.
            spare = max(missing, len(self._values))
            self._values = np.concatenate([self._values, np.zeros((spare, TITLE_COUNTER_COUNT))])
            self._at_ms = np.concatenate([self._at_ms, np.zeros(spare, np.int64)])


def _places(distinct: NDArray[np.intp], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where each of `rows` (n,) is in `distinct`, ascending; −1 for those below zero."""
    places: NDArray[np.intp] = np.where(rows >= 0, np.searchsorted(distinct, rows), -1)
    return places
