"""Facts in their long form: one row a fact, `number` or `text` its value."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

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
    return _long(frame, values, pl.col("name"))


def ranked(
    frame: pl.DataFrame, name: str, values: Mapping[str, pl.Expr], *, most: int
) -> pl.DataFrame:
    """Facts "<name>.<place>" and "<name>.<place>.<value>" of the first `most` rows of each p.

    `frame` is in the order to count, p by p; the value named "" is that of the place itself.
    """
    whose = frame["p"].to_numpy()
    starts = begins(whose)
    place = np.arange(1, len(whose) + 1) - np.repeat(starts, np.diff(starts, append=len(whose)))
    is_told = place <= most
    placed = frame.filter(pl.Series(is_told)).with_columns(place=pl.Series(place[is_told]))
    endings = {f".{ending}" if ending else "": value for ending, value in values.items()}
    return _long(placed, endings, pl.concat_str(pl.lit(f"{name}."), "place", "name"))


def _long(frame: pl.DataFrame, values: Mapping[str, pl.Expr], fact_id: pl.Expr) -> pl.DataFrame:
    index = [name for name in ("p", "place") if name in frame.columns]
    wide = frame.select(*index, **values)
    texts = [name for name in values if wide.schema[name] == pl.String()]
    found = [EMPTY]
    for column, names in (
        ("number", [name for name in values if name not in texts]),
        ("text", texts),
    ):
        if names:
            rows = (
                wide.with_columns(pl.col(names).cast(SCHEMA[column]))
                .unpivot(names, index=index, variable_name="name", value_name=column)
                .drop_nulls(column)
            )
            none = {name: pl.lit(None, SCHEMA[name]) for name in ("number", "text")}
            found.append(
                rows.select(
                    pl.col("p").cast(pl.UInt32), fact_id=fact_id, **{**none, column: pl.col(column)}
                )
            )
    return pl.concat(found)
