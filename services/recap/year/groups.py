"""Rows grouped by whole numbers: sorted once by one packed number, then summed run by run."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_LARGEST: Final = 2**63 - 1


class Groups:
    """n rows as g groups of equal columns: `order` sorts rows, `starts` are where groups begin.

    Without an order the rows are in the order of groups as they are.
    """

    def __init__(self, order: Ints | None, starts: Ints, size: int) -> None:
        self._order = order
        self._starts = starts
        self._size = size

    def of(self, column: NDArray[Any]) -> NDArray[Any]:
        """(g,): the value of a column that is one in a group."""
        return column[self._starts if self._order is None else self._order[self._starts]]

    def sums(self, column: NDArray[Any]) -> Ints:
        """(g,): the sum of each group."""
        return np.add.reduceat(self._ordered(column), self._starts, dtype=np.int64)

    def greatest(self, column: NDArray[Any]) -> NDArray[Any]:
        """(g,): the greatest value of each group."""
        return np.maximum.reduceat(self._ordered(column), self._starts)

    def counts(self) -> Ints:
        """(g,): the rows of each group."""
        return np.diff(self._starts, append=self._size)

    def _ordered(self, column: NDArray[Any]) -> NDArray[Any]:
        return column if self._order is None else column[self._order]


def grouped(*columns: NDArray[Any]) -> Groups:
    """The groups of rows in any order; they ascend by the first column, then the next.

    Raises OverflowError where the ranges of the columns do not fit into 63 bits together.
    """
    size = len(columns[0])
    key = _packed(columns)
    bits = size.bit_length()
    if size and int(key.max()) < 1 << (63 - bits):
        # Sorted with the place of each row: numbers are sorted faster than places by them.
        both = np.sort((key << bits) | np.arange(size))
        order, key = both & ((1 << bits) - 1), both >> bits
    else:
        order = np.argsort(key)
        key = key[order]
    return Groups(order, begins(key), size)


def runs(*columns: NDArray[Any]) -> Groups:
    """The groups of rows that are in the order of groups."""
    size = len(columns[0])
    is_begin = np.ones(size, np.bool_)
    if size:
        is_begin[1:] = False
        for column in columns:
            is_begin[1:] |= column[1:] != column[:-1]
    return Groups(None, np.flatnonzero(is_begin), size)


def begins(ordered: NDArray[Any]) -> Ints:
    """Where each run of equal values begins."""
    is_begin = np.ones(len(ordered), np.bool_)
    is_begin[1:] = ordered[1:] != ordered[:-1]
    return np.flatnonzero(is_begin)


def best(whose: NDArray[Any], value: NDArray[Any]) -> Ints:
    """Of each run of equal `whose` the place of the greatest value, and of equal ones the first."""
    starts = begins(whose)
    top = np.maximum.reduceat(value, starts) if len(starts) else value
    places = np.flatnonzero(value == np.repeat(top, np.diff(starts, append=len(whose))))
    return places[begins(whose[places])]


def descending(whose: NDArray[Any], value: NDArray[Any]) -> Ints:
    """The order of ascending `whose`, each from its greatest value on; equal ones stay in order."""
    return np.argsort(_packed((whose, -value.astype(np.int64))), kind="stable")


def _packed(columns: tuple[NDArray[Any], ...]) -> Ints:
    """One number that ascends as the columns do."""
    key, size = np.zeros(len(columns[0]), np.int64), 1
    if not len(key):
        return key
    for column in columns:
        least = int(column.min())
        width = int(column.max()) - least + 1
        size *= width
        if size > _LARGEST:
            raise OverflowError("too many groups")
        key = key * width + (column.astype(np.int64) - least)
    return key
