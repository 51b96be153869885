"""Columns of names as numbers: what is grouped by, joined on or asked for many times."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def placed(names: pl.Series, among: pl.Series) -> Ints:
    """(n,): the place of each name in `among`, which holds each once and all of them."""
    if names.is_empty():
        return np.zeros(0, np.int64)
    return names.cast(pl.Enum(among)).to_physical().to_numpy().astype(np.int64)


def ordered(names: pl.Series) -> pl.Series:
    """The distinct names, ascending; threads would cost more than they save."""
    return names.unique().sort(multithreaded=False)


def placed_in_runs(names: pl.Series) -> tuple[pl.Series, Ints]:
    """The distinct names, ascending, and (n,) the place of each; cheap where equal ones follow."""
    runs = names.rename("name").rle().struct.unnest()
    distinct = ordered(runs["value"])
    return distinct, np.repeat(placed(runs["value"], distinct), runs["len"].to_numpy())


def changes(names: pl.Series) -> NDArray[np.bool_]:
    """(n,): whether a name is another than the one before it; the first is."""
    found: NDArray[Any] = (names != names.shift(1)).fill_null(value=True).to_numpy()
    return found.astype(np.bool_)
