"""The verifier: every fact counted a second time, by DuckDB, and compared."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from services.recap.year.catalogue import Catalogue
from services.recap.year.cohort import Cohorts
from services.recap.year.comparison import COMPARISON_QUERIES, cohort_tables
from services.recap.year.period import Period
from services.recap.year.queries import QUERIES, TABLES

_ALL_QUERIES: Final = {**QUERIES, **COMPARISON_QUERIES}
_KEYS: Final = ("profile_id", "fact_id", "number", "text")


class Verifier:
    """Counts over one set of events at a time; for one thread. `close` it."""

    def __init__(self, catalogue: Catalogue, *, threads: int) -> None:
        self._connection = duckdb.connect(config={"threads": threads})
        for name, frame in (
            ("titles", catalogue.titles),
            ("title_genres", catalogue.genres),
            ("title_people", catalogue.people),
        ):
            load(self._connection, name, frame)
        self._parameters: Mapping[str, Any] = {}

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def open_partition(self, path: Path, period: Period, cutoff_ms: int) -> None:
        """Count over one file of an export."""
        self._connection.execute(
            "CREATE OR REPLACE VIEW events AS SELECT * FROM "  # noqa: S608 - quoted
            f"read_parquet({_quoted(str(path))}, hive_partitioning = false)"
        )
        self._make_tables(period, cutoff_ms)

    def open_history(self, history: pl.DataFrame, period: Period, cutoff_ms: int) -> None:
        """Count over the events of a frame."""
        load(self._connection, "events", history)
        self._make_tables(period, cutoff_ms)

    def _make_tables(self, period: Period, cutoff_ms: int) -> None:
        self._parameters = {
            "first_date": period.first.isoformat(),
            "last_date": period.last.isoformat(),
            "cutoff_ms": cutoff_ms,
        }
        for name, query in TABLES.items():
            self._connection.execute(
                f"CREATE OR REPLACE TABLE {name} AS {query}", self._used(query)
            )

    def open_comparison(
        self, members: pl.DataFrame, taste: pl.DataFrame, axes: pl.DataFrame, cohorts: Cohorts
    ) -> None:
        """Compare `members` (profile_id, country, minutes) with frozen cohorts."""
        tables = {"base": members, "taste": taste, "axes": axes, **cohort_tables(cohorts)}
        for name, frame in tables.items():
            load(self._connection, name, frame)

    def count(self, story: str) -> pl.DataFrame:
        """profile_id, fact_id, number, text of a story, in no order."""
        return self._read(_ALL_QUERIES[story])

    def disagreeing(self, story: str, found: pl.DataFrame) -> list[str]:
        """Whose facts of a story are not those of the verifier, ascending by profile_id."""
        return disagreeing(found, self.count(story))

    def _read(self, query: str) -> pl.DataFrame:
        return as_facts(pl.DataFrame(self._connection.sql(query, params=self._used(query))))

    def _used(self, query: str) -> dict[str, Any] | None:
        """The parameters that a query names: others are refused."""
        used = {name: value for name, value in self._parameters.items() if f"${name}" in query}
        return used or None


def load(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Make `frame` the table of that name."""
    connection.register("loading", frame.__arrow_c_stream__(None))
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM loading")  # noqa: S608
    connection.unregister("loading")


def as_facts(answer: pl.DataFrame) -> pl.DataFrame:
    """The facts of a query's answer: rows that say nothing are none."""
    return answer.select(
        pl.col("profile_id", "fact_id"),
        pl.col("number").cast(pl.Int64),
        pl.col("text").cast(pl.String),
    ).filter(
        pl.col("fact_id").is_not_null()
        & (pl.col("number").is_not_null() | pl.col("text").is_not_null())
    )


def disagreeing(found: pl.DataFrame, wanted: pl.DataFrame) -> list[str]:
    """Whose facts differ in any way, a fact too many or twice included; ascending."""
    both = pl.concat(
        [
            found.select(*_KEYS, sign=pl.lit(1)),
            wanted.select(*_KEYS, sign=pl.lit(-1)),
        ]
    )
    left = both.group_by(_KEYS).agg(pl.col("sign").sum()).filter(pl.col("sign") != 0)
    return left["profile_id"].unique().sort().to_list()


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
