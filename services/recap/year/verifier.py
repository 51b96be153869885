"""The verifier: every fact counted a second time, by DuckDB, and compared there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from libs.storage.parquet_export import DAYS, EVENTS
from services.recap.year.catalogue import Catalogue
from services.recap.year.cohort import NO_COHORTS, Cohorts
from services.recap.year.comparison import COMPARISON_QUERIES, cohort_tables
from services.recap.year.period import Period
from services.recap.year.queries import QUERIES
from services.recap.year.split import NO_SPLIT
from services.recap.year.tables import DOUBTFUL, MISPLACED, TABLES, VIEWS

_RECORDED: Final = """
CREATE OR REPLACE VIEW recorded AS SELECT * RENAME (file_row_number AS place)
FROM read_parquet({path}, hive_partitioning = false, file_row_number = true)
WHERE profile_id NOT IN (SELECT profile_id FROM refusing)
"""
_PROFILES: Final = "CREATE OR REPLACE VIEW events AS SELECT * FROM recorded"
# Of profiles that several people share only what is somebody's, by viewer.
_VIEWERS: Final = """
CREATE OR REPLACE VIEW events AS
SELECT * FROM recorded WHERE profile_id NOT IN (SELECT profile_id FROM whose)
UNION ALL
SELECT recorded.* REPLACE (viewer_id AS profile_id)
FROM recorded JOIN whose USING (profile_id, session_id, title_id)
"""
_COMPACTED: Final = """
CREATE OR REPLACE TABLE compacted AS
SELECT profile_id, title_id, day, play_count, complete_count, watched_ms,
  list_sum(hours_ms[1:5]) + list_sum(hours_ms[23:24]) AS night_ms, last_ms
FROM read_parquet({path}, hive_partitioning = false)
WHERE profile_id NOT IN (SELECT profile_id FROM refusing)
  AND profile_id NOT IN (SELECT profile_id FROM whose)
"""
# A query of comparison names profiles itself.
_COUNTED: Final = """
SELECT profile_id, fact_id, number::BIGINT AS number, text::VARCHAR AS text
FROM ({query}) {whose}
WHERE fact_id IS NOT NULL AND (number IS NOT NULL OR text IS NOT NULL)
"""
# A fact too many, too few or twice, or of another value leaves a row.
_DISAGREEING: Final = """
SELECT DISTINCT profile_id FROM (
  SELECT profile_id, fact_id, number, text, sum(sign) AS signs FROM (
    SELECT profile_id, fact_id, number, text, 1 AS sign FROM found
    UNION ALL SELECT *, -1 FROM ({counted}))
  GROUP BY profile_id, fact_id, number, text HAVING signs <> 0)
ORDER BY profile_id
"""


class Verifier:
    """Counts over one partition of an export at a time; for one thread. `close` it."""

    def __init__(self, catalogue: Catalogue, *, threads: int) -> None:
        self._connection = duckdb.connect(config={"threads": threads})
        self._queries = {**QUERIES, **COMPARISON_QUERIES}
        self._parameters: Mapping[str, Any] = {}
        self._cohorts = NO_COHORTS
        for name, frame in (
            ("titles", catalogue.titles),
            ("title_genres", catalogue.genres),
            ("title_people", catalogue.people),
            *cohort_tables(NO_COHORTS).items(),
        ):
            self._make(name, frame)

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
        self._parameters = {
            "first_date": period.first.isoformat(),
            "last_date": period.last.isoformat(),
            "cutoff_ms": cutoff_ms,
        }
        self._make("refusing", refusing.to_frame("profile_id"))
        self._make("whose", whose)
        self._connection.execute(_RECORDED.format(path=_quoted(str(folder / EVENTS))))
        # Where nobody shares there is nothing to join.
        self._connection.execute(_VIEWERS if whose.height else _PROFILES)
        self._connection.execute(_COMPACTED.format(path=_quoted(str(folder / DAYS))))
        for name, query in TABLES.items():
            self._run(f"CREATE OR REPLACE TABLE {name} AS {query}")
        for name, query in VIEWS.items():
            self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
        if self._count(DOUBTFUL) and self._count(MISPLACED):
            raise ValueError("events must be in the order of profiles and of theirs")

    def close_partition(self) -> None:
        """Forget what was opened; what is counted over next may be as large."""
        for name in reversed(VIEWS):
            self._connection.execute(f"DROP VIEW {name}")
        for name in reversed(TABLES):
            self._connection.execute(f"DROP TABLE {name}")

    def ask(self, query: str, profile_id: str) -> list[tuple[str, int | None, str | None]]:
        """fact_id, number, text by the SQL that a person's fact carries."""
        parameters = {**self._parameters, "profile_id": profile_id}
        return self._run(query, parameters).fetchall()

    def disagreeing(self, story: str, found: pl.DataFrame) -> list[str]:
        """Whose facts of a story are not those of the verifier, ascending by profile_id."""
        whose = "" if story in COMPARISON_QUERIES else "JOIN profile_numbers USING (profile)"
        counted = _COUNTED.format(query=self._queries[story], whose=whose)
        self._connection.register("found", found.__arrow_c_stream__(None))
        rows = self._run(_DISAGREEING.format(counted=counted)).fetchall()
        self._connection.unregister("found")
        return [profile_id for (profile_id,) in rows]

    def disagreeing_comparisons(
        self,
        members: pl.DataFrame,
        taste: pl.DataFrame,
        axes: pl.DataFrame,
        cohorts: Cohorts,
        found: Mapping[str, pl.DataFrame],
    ) -> dict[str, list[str]]:
        """The same of stories of comparison of `members` (profile_id, country, minutes)."""
        for name, frame in (("base", members), ("taste", taste), ("axes", axes)):
            self._make(name, frame)
        if cohorts is not self._cohorts:
            for name, frame in cohort_tables(cohorts).items():
                self._make(name, frame)
            self._cohorts = cohorts
        return {story: self.disagreeing(story, one) for story, one in found.items()}

    def _run(
        self, query: str, parameters: Mapping[str, Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(query, _used(query, parameters or self._parameters))

    def _count(self, query: str) -> int:
        [(found,)] = self._run(query).fetchall()
        return int(found)

    def _make(self, name: str, frame: pl.DataFrame) -> None:
        self._connection.register("loading", frame.__arrow_c_stream__(None))
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM loading"  # noqa: S608
        )
        self._connection.unregister("loading")


def _used(query: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parameters that a query names: others are refused."""
    return {key: value for key, value in parameters.items() if f"${key}" in query} or None


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
