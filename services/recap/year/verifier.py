"""The verifier: every fact counted a second time, by DuckDB, and compared there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from libs.storage.parquet_export import DAYS, EVENTS
from services.recap.year import history as histories
from services.recap.year.catalogue import Catalogue
from services.recap.year.cohort import NO_COHORTS, Cohorts
from services.recap.year.comparison import COMPARISON_QUERIES, cohort_tables
from services.recap.year.period import Period
from services.recap.year.queries import QUERIES
from services.recap.year.split import NO_SPLIT
from services.recap.year.tables import MISPLACED, TABLES, VIEWS

_FACT_SCHEMA: Final = {
    "profile_id": pl.String(),
    "fact_id": pl.String(),
    "number": pl.Int64(),
    "text": pl.String(),
}
_COMPARED_SCHEMAS: Final = {
    "base": {"profile_id": pl.String(), "country": pl.String(), "minutes": pl.Int64()},
    "taste": _FACT_SCHEMA,
    "axes": _FACT_SCHEMA,
}
_COMPACTED: Final = """
INSERT INTO compacted
SELECT profile_id, title_id, day, play_count, complete_count, watched_ms,
  list_sum(hours_ms[1:5]) + list_sum(hours_ms[23:24]), last_ms
FROM read_parquet({path}, hive_partitioning = false)
WHERE profile_id NOT IN (SELECT profile_id FROM refusing)
  AND profile_id NOT IN (SELECT profile_id FROM whose)
"""
# Of profiles that several people share only what is somebody's, by viewer.
_VIEWERS: Final = """
CREATE OR REPLACE VIEW events AS
SELECT * FROM {source} WHERE profile_id NOT IN (SELECT profile_id FROM whose)
UNION ALL
SELECT source.* REPLACE (viewer_id AS profile_id)
FROM {source} AS source JOIN whose USING (profile_id, session_id, title_id)
"""
# `whose` numbers profiles where the query does.
_COUNTED: Final = """
SELECT profile_id, fact_id, number::BIGINT AS number, text::VARCHAR AS text
FROM ({query}) {whose}
WHERE fact_id IS NOT NULL AND (number IS NOT NULL OR text IS NOT NULL)
"""
# A fact too many, too few or twice, or of another value leaves a row; a fact's id begins with its
# story.
_DISAGREEING: Final = """
SELECT DISTINCT split_part(fact_id, '.', 1) AS story, profile_id FROM (
  SELECT profile_id, fact_id, number, text, sum(sign) AS signs FROM (
    SELECT profile_id, fact_id, number, text, 1 AS sign FROM found
    UNION ALL SELECT *, -1 FROM ({counted}))
  GROUP BY profile_id, fact_id, number, text HAVING signs <> 0)
ORDER BY story, profile_id
"""
_PROFILES: Final = "CREATE OR REPLACE VIEW events AS SELECT * FROM recorded"


class Verifier:
    """Counts over one set of events at a time; for one thread. `close` it.

    Its tables are emptied and filled again, never made again: so every query is planned once.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        threads: int,
    ) -> None:
        self._connection = duckdb.connect(config={"threads": threads})
        self._queries = {**QUERIES, **COMPARISON_QUERIES}
        self._prepared: set[str] = set()
        self._parameters: Mapping[str, Any] = {}
        self._make("titles", catalogue.titles)
        self._make("title_genres", catalogue.genres)
        self._make("title_people", catalogue.people)
        self._make("history", _placed(pl.DataFrame(schema=histories.SCHEMA)))
        self._make("compacted", histories.NO_DAYS)
        self._make("found", pl.DataFrame(schema=_FACT_SCHEMA))
        for name, schema in _COMPARED_SCHEMAS.items():
            self._make(name, pl.DataFrame(schema=schema))
        self._cohorts = NO_COHORTS
        for name, frame in cohort_tables(NO_COHORTS).items():
            self._make(name, frame)
        self._connection.execute("CREATE VIEW recorded AS SELECT * FROM history")
        self._make("whose", NO_SPLIT.whose)
        self._connection.execute(_VIEWERS.format(source="recorded"))
        nothing = {"first_date": "1970-01-01", "last_date": "1970-01-01", "cutoff_ms": 0}
        for name, query in TABLES.items():
            self._connection.execute(f"CREATE TABLE {name} AS {query}", _used(query, nothing))
        for name, query in VIEWS.items():
            self._connection.execute(f"CREATE VIEW {name} AS {query}")

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def open_partition(
        self,
        folder: Path,
        period: Period,
        cutoff_ms: int,
        refusing: pl.Series,
        whose: pl.DataFrame = NO_SPLIT.whose,
    ) -> None:
        """Count over one partition of an export, but not the profiles that refuse it.

        `whose` tells the people of shared profiles apart, as Split does.
        """
        self._make("refusing", refusing.to_frame("profile_id"))
        self._fill("whose", whose)
        self._connection.execute(
            "CREATE OR REPLACE VIEW recorded AS "  # noqa: S608 - quoted
            "SELECT * RENAME (file_row_number AS place) FROM "
            f"read_parquet({_quoted(str(folder / EVENTS))},"
            " hive_partitioning = false, file_row_number = true)"
            " WHERE profile_id NOT IN (SELECT profile_id FROM refusing)"
        )
        # Where nobody shares there is nothing to join.
        self._connection.execute(_VIEWERS.format(source="recorded") if whose.height else _PROFILES)
        self._connection.execute("TRUNCATE compacted")
        self._connection.execute(_COMPACTED.format(path=_quoted(str(folder / DAYS))))
        self._fill_tables(period, cutoff_ms)

    def open_history(
        self,
        history: pl.DataFrame,
        period: Period,
        cutoff_ms: int,
        compacted: pl.DataFrame = histories.NO_DAYS,
        whose: pl.DataFrame = NO_SPLIT.whose,
    ) -> None:
        """Count over the events of a frame, and over the days that older ones have left."""
        self._fill("history", _placed(history))
        self._fill("whose", whose)
        self._fill("compacted", compacted)
        self._fill_tables(period, cutoff_ms)

    def open_comparison(
        self, members: pl.DataFrame, taste: pl.DataFrame, axes: pl.DataFrame, cohorts: Cohorts
    ) -> None:
        """Compare `members` (profile_id, country, minutes) with frozen cohorts."""
        for name, frame in (("base", members), ("taste", taste), ("axes", axes)):
            self._fill(name, frame)
        if cohorts is not self._cohorts:
            for name, frame in cohort_tables(cohorts).items():
                self._fill(name, frame)
            self._cohorts = cohorts

    def count(self, story: str) -> pl.DataFrame:
        """profile_id, fact_id, number, text of a story, in no order."""
        query = self._counted(story)
        rows = self._connection.execute(query, _used(query, self._parameters)).fetchall()
        return pl.DataFrame(rows, schema=_FACT_SCHEMA, orient="row")

    def ask(self, query: str, profile_id: str) -> list[tuple[str, int | None, str | None]]:
        """fact_id, number, text by the SQL that a person's fact carries."""
        parameters = {**self._parameters, "profile_id": profile_id}
        return self._connection.execute(query, _used(query, parameters)).fetchall()

    def disagreeing(self, story: str, found: pl.DataFrame) -> list[str]:
        """Whose facts of a story are not those of the verifier, ascending by profile_id."""
        self._fill("found", found)
        query = _DISAGREEING.format(counted=self._counted(story))
        rows = self._run(f"verify_{story}", query).fetchall()
        return sorted({profile_id for _, profile_id in rows})

    def all_disagreeing(self, found: pl.DataFrame) -> list[tuple[str, str]]:
        """Story and profile_id, ascending, of `found` that holds every story but comparisons.

        One statement costs half of one a story where there are few events.
        """
        self._fill("found", found)
        counted = " UNION ALL ".join(f"({self._counted(story)})" for story in QUERIES)
        return self._run("verify_all", _DISAGREEING.format(counted=counted)).fetchall()

    def _counted(self, story: str) -> str:
        whose = "" if story in COMPARISON_QUERIES else "JOIN profile_numbers USING (profile)"
        return _COUNTED.format(query=self._queries[story], whose=whose)

    def _fill_tables(self, period: Period, cutoff_ms: int) -> None:
        self._parameters = {
            "first_date": period.first.isoformat(),
            "last_date": period.last.isoformat(),
            "cutoff_ms": cutoff_ms,
        }
        for name, query in TABLES.items():
            self._connection.execute(f"TRUNCATE {name}")
            self._run(f"fill_{name}", f"INSERT INTO {name} {query}")
        if self._run("misplaced", MISPLACED).fetchall() != [(0,)]:
            raise ValueError("events must be in the order of profiles and of theirs")

    def _run(self, name: str, query: str) -> duckdb.DuckDBPyConnection:
        if name not in self._prepared:
            self._connection.execute(f"PREPARE {name} AS {query}")
            self._prepared.add(name)
        used = _used(query, self._parameters) or {}
        given = ", ".join(f"{key} := {_literal(value)}" for key, value in used.items())
        return self._connection.execute(f"EXECUTE {name}({given})" if used else f"EXECUTE {name}")

    def _make(self, name: str, frame: pl.DataFrame) -> None:
        self._connection.register("loading", frame.__arrow_c_stream__(None))
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM loading"  # noqa: S608
        )
        self._connection.unregister("loading")

    def _fill(self, name: str, frame: pl.DataFrame) -> None:
        self._connection.execute(f"TRUNCATE {name}")
        self._connection.register("loading", frame.__arrow_c_stream__(None))
        self._connection.execute(f"INSERT INTO {name} SELECT * FROM loading")  # noqa: S608
        self._connection.unregister("loading")


def _placed(history: pl.DataFrame) -> pl.DataFrame:
    return history.with_columns(place=pl.int_range(pl.len()))


def _used(query: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parameters that a query names: others are refused."""
    return {key: value for key, value in parameters.items() if f"${key}" in query} or None


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
