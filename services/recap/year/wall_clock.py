"""DuckDB's wall clock, for who has no query to run: its time zones are not Python's."""

from typing import Final

import duckdb
import polars as pl

_WALL: Final = """
SELECT date_diff('day', DATE '1970-01-01', wall::DATE) AS day, hour(wall) AS hour FROM (
  SELECT timezone(CASE time_zone WHEN '' THEN 'UTC' ELSE time_zone END,
    make_timestamptz(occurred_ms * 1000)) AS wall
  FROM moments)
"""


class WallClock:
    """For one thread at a time; `close` it."""

    def __init__(self) -> None:
        # With one thread rows come in the order in which they went.
        self._connection = duckdb.connect(config={"threads": 1})

    def close(self) -> None:
        """Give back what it holds."""
        self._connection.close()

    def days_and_hours(self, events: pl.DataFrame) -> tuple[list[int], list[int]]:
        """Of `events` (n rows: occurred_ms, time_zone): the day since 1970-01-01, and the hour."""
        moments = events.select("occurred_ms", "time_zone")
        self._connection.register("moments", moments.__arrow_c_stream__(None))
        found = self._connection.execute(_WALL).fetchnumpy()
        self._connection.unregister("moments")
        return found["day"].tolist(), found["hour"].tolist()
