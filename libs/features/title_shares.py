"""Title shares: what one profile's events have added to the counters of titles, by country.

Summed over profiles they are the counters. They are kept of events that are no longer in the log,
so that counters can be made anew, and a profile's part be taken out of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.features.counters import decay
from libs.features.event_columns import EventColumns
from libs.features.title_counters import (
    TITLE_COUNTER_COUNT,
    TITLE_HALF_LIVES_MS,
    counted,
    sums,
)

# Most counters of a share are zero: a cell is a counter that is not.
_CELL: Final = np.dtype([("column", "<u2"), ("value", "<f8")])

# (country, title id) -> (counters (k,), the time that they are of).
ShareByTitle = Mapping[tuple[str, str], tuple[NDArray[np.float64], int]]


@dataclass(frozen=True, slots=True, eq=False)
class TitleShares:
    """m shares, of any profiles; a pair may be there several times."""

    countries: tuple[str, ...]  # m, "" where none was known
    title_ids: tuple[str, ...]  # m
    values: NDArray[np.float64]  # (m, k)
    at_ms: NDArray[np.int64]  # (m,) what the values are of


def title_shares(columns: EventColumns, before: ShareByTitle) -> TitleShares:
    """One share a pair: what `before` holds of it and the events of `columns` add to that.

    `columns` are of one profile. Pairs that the events do not touch are not in it.
    """
    counts = counted(columns) & (columns.title >= 0)
    titles_wide = columns.title.astype(np.intp)
    pairs = columns.country + 1 + titles_wide * (len(columns.countries) + 1)
    distinct, place = np.unique(pairs[counts], return_inverse=True)
    rows = np.full(len(columns), -1, np.intp)
    rows[counts] = place
    names = ("", *columns.countries)
    countries = tuple([names[pair % len(names)] for pair in distinct.tolist()])
    titles = tuple([columns.title_ids[pair // len(names)] for pair in distinct.tolist()])
    at_ms = np.zeros(len(distinct), np.int64)
    values = np.zeros((len(distinct), TITLE_COUNTER_COUNT))
    for row, key in enumerate(zip(countries, titles, strict=True)):
        if key in before:
            values[row], at_ms[row] = before[key]
    to_ms = at_ms.copy()
    np.maximum.at(to_ms, place, columns.occurred_ms[counts])
    kept = decay(values, at_ms - to_ms, 0, TITLE_HALF_LIVES_MS)
    return TitleShares(countries, titles, kept + sums(columns, rows, len(distinct), to_ms), to_ms)


def encode_cells(values: NDArray[np.float64]) -> bytes:
    """The counters (k,) of one share that are not zero, packed."""
    columns = np.flatnonzero(values)
    cells = np.empty(len(columns), _CELL)
    cells["column"], cells["value"] = columns, values[columns]
    return cells.tobytes()


def decode_cells(encoded: Iterable[bytes]) -> NDArray[np.float64]:
    """The counters (m, k) of m shares."""
    rows = list(encoded)
    lengths = np.array([len(row) // _CELL.itemsize for row in rows], np.intp)
    cells = np.frombuffer(b"".join(rows), _CELL)
    values = np.zeros((len(rows), TITLE_COUNTER_COUNT))
    values[np.repeat(np.arange(len(rows)), lengths), cells["column"]] = cells["value"]
    return values


def decode_shares(rows: Sequence[tuple[str, str, bytes, int]]) -> ShareByTitle:
    """Stored shares, a (country, title id, cells, at_ms) each, by what they are of."""
    values = decode_cells(cells for _, _, cells, _ in rows)
    return {
        (country, title_id): (values[row], at_ms)
        for row, (country, title_id, _, at_ms) in enumerate(rows)
    }
