"""Facts in their long form: one row a fact, `number` or `text` its value."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from services.recap.year.groups import begins

SCHEMA: Final[dict[str, pl.DataType]] = {
    "p": pl.UInt32(),
    "fact_id": pl.String(),
    "number": pl.Int64(),
    "text": pl.String(),
}
EMPTY: Final = pl.DataFrame(schema=SCHEMA)

_EPOCH: Final = pl.lit(0).cast(pl.Date)


def date_text(day: str) -> pl.Expr:
    """The date "YYYY-MM-DD" of a column of days since 1970-01-01."""
    return pl.col(day).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")


def facts(frame: pl.DataFrame, values: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """One fact of each name for each row of `frame` (p, …); a null is no fact."""
    codes = np.zeros(frame.height, np.int64)
    return _long(frame, values, codes, [[name] for name in values])


def ranked(
    frame: pl.DataFrame, name: str, values: Mapping[str, pl.Expr], *, most: int
) -> pl.DataFrame:
    """Facts "<name>.<place>" and "<name>.<place>.<value>" of the first `most` rows of each p.

    `frame` is in the order to count, p by p; the value named "" is that of the place itself.
    """
    whose = frame["p"].to_numpy()
    starts = begins(whose)
    place = np.arange(len(whose)) - np.repeat(starts, np.diff(starts, append=len(whose)))
    told = np.flatnonzero(place < most)
    ids = [
        [f"{name}.{number}.{ending}" if ending else f"{name}.{number}" for number in _places(most)]
        for ending in values
    ]
    return _long(frame[told], values, place[told], ids)


def _places(most: int) -> range:
    return range(1, most + 1)


def _long(
    frame: pl.DataFrame,
    values: Mapping[str, pl.Expr],
    code: NDArray[np.int64],
    ids: Sequence[Sequence[str]],
) -> pl.DataFrame:
    """The value of a row is told under the id of that value that its `code` (n,) is the place of.

    `ids` are those of each value, in the order of `values`.
    """
    wide = frame.select(**{str(place): value for place, value in enumerate(values.values())})
    whose = frame["p"].cast(pl.UInt32)
    found = [EMPTY]
    for value, own in zip(wide.iter_columns(), ids, strict=True):
        p, column, codes = whose, value, code
        if column.null_count():
            told = np.flatnonzero(column.is_not_null().to_numpy())
            p, column, codes = p[told], column[told], codes[told]
        is_text = column.dtype == pl.String()
        nothing = pl.Series(dtype=pl.Int64() if is_text else pl.String()).extend_constant(
            None, len(codes)
        )
        found.append(
            pl.DataFrame(
                {
                    "p": p,
                    "fact_id": pl.Series(own, dtype=pl.String())[codes],
                    "number": nothing if is_text else column.cast(pl.Int64()),
                    "text": column if is_text else nothing,
                }
            )
        )
    return pl.concat(found)
