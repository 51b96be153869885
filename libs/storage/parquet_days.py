"""Days of compacted events as a Parquet frame."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from libs.features.watched_days import HOUR_COUNT, WatchedDay

_SCHEMA: Final[dict[str, pl.DataType]] = {
    "profile_id": pl.String(),
    "title_id": pl.String(),
    "day": pl.Date(),  # by the clock of the profile
    "time_zone": pl.String(),
    "play_count": pl.Int64(),
    "rewatch_count": pl.Int64(),
    "complete_count": pl.Int64(),
    "rating_count": pl.Int64(),
    "watched_ms": pl.Int64(),
    "hours_ms": pl.Array(pl.Int64(), HOUR_COUNT),
    "duration_ms": pl.Int64(),
    "first_ms": pl.Int64(),
    "last_ms": pl.Int64(),
}


def day_frame(days: Iterable[tuple[str, WatchedDay]]) -> pl.DataFrame:
    """A row a day, in the order given, with whose it is."""
    rows = [
        (
            profile_id,
            one.title_id,
            one.date,
            one.time_zone,
            one.play_count,
            one.rewatch_count,
            one.complete_count,
            one.rating_count,
            one.watched_ms,
            one.hours_ms,
            one.duration_ms,
            one.first_ms,
            one.last_ms,
        )
        for profile_id, one in days
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
