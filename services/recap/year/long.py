"""Facts in their long form: one row a fact, `number` or `text` its value."""

from collections.abc import Mapping
from typing import Final

import polars as pl

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
    found = [EMPTY]
    for fact_id, value in values.items():
        one = frame.select("p", fact_id=pl.lit(fact_id), value=value)
        found.append(_long(one))
    return pl.concat(found)


def ranked(
    frame: pl.DataFrame, name: str, values: Mapping[str, pl.Expr], *, most: int
) -> pl.DataFrame:
    """Facts "<name>.<place>" and "<name>.<place>.<value>" of the first `most` rows of each p.

    `frame` is in the order to count, p by p; the value named "" is that of the place itself.
    """
    placed = frame.with_columns(place=pl.int_range(1, pl.len() + 1).over("p")).filter(
        pl.col("place") <= most
    )
    found = [EMPTY]
    for ending, value in values.items():
        fact_id = pl.concat_str(pl.lit(f"{name}."), "place", pl.lit(f".{ending}" if ending else ""))
        found.append(_long(placed.select("p", fact_id=fact_id, value=value)))
    return pl.concat(found)


def _long(one: pl.DataFrame) -> pl.DataFrame:
    one = one.filter(pl.col("value").is_not_null())
    if one.schema["value"] == pl.String():
        columns = {"number": pl.lit(None, pl.Int64()), "text": pl.col("value")}
    else:
        columns = {"number": pl.col("value").cast(pl.Int64), "text": pl.lit(None, pl.String())}
    return one.select(pl.col("p").cast(pl.UInt32), "fact_id", **columns)
