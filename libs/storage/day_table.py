"""Days in the events file: one row a profile, title and local day of events that were compacted."""

import sqlite3
import struct
from collections.abc import Collection, Sequence
from typing import Any, Final

from libs.features.watched_days import HOUR_COUNT, WatchedDay

Row = tuple[Any, ...]

STATEMENT: Final = (
    "CREATE TABLE profile_days (tenant TEXT NOT NULL, profile_id TEXT NOT NULL,"
    " day INTEGER NOT NULL, title_id TEXT NOT NULL, play_count INTEGER NOT NULL,"
    " rewatch_count INTEGER NOT NULL, complete_count INTEGER NOT NULL,"
    " rating_count INTEGER NOT NULL, watched_ms INTEGER NOT NULL, hours BLOB NOT NULL,"
    " duration_ms INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " time_zone TEXT NOT NULL, PRIMARY KEY (tenant, profile_id, day, title_id)) WITHOUT ROWID"
)

DAY_COLUMNS: Final = (
    "title_id, day, play_count, rewatch_count, complete_count, rating_count, watched_ms, hours,"
    " duration_ms, first_ms, last_ms, time_zone"
)
# The hours in which anything was watched, and how long.
_HOUR: Final = struct.Struct("<BQ")


def write(
    connection: sqlite3.Connection, tenant: str, profile_id: str, days: Sequence[WatchedDay]
) -> None:
    """Write days in the place of those of the same title and day."""
    connection.executemany(
        f"INSERT OR REPLACE INTO profile_days (tenant, profile_id, {DAY_COLUMNS})"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(tenant, profile_id, *_encode(one)) for one in days],
    )


def read_some(
    connection: sqlite3.Connection,
    tenant: str,
    profile_id: str,
    wanted: Collection[tuple[int, str]],
) -> list[WatchedDay]:
    """Those of a profile's days of compacted events that are of a wanted (day, title id)."""
    if not wanted:
        return []
    numbers = [day for day, _ in wanted]
    rows = connection.execute(
        f"SELECT {DAY_COLUMNS} FROM profile_days WHERE tenant = ?"  # noqa: S608  constants
        " AND profile_id = ? AND day BETWEEN ? AND ?",
        (tenant, profile_id, min(numbers), max(numbers)),
    ).fetchall()
    return [one for one in map(decode, rows) if (one.day, one.title_id) in wanted]


def read(connection: sqlite3.Connection, tenant: str, profile_id: str) -> list[WatchedDay]:
    """A profile's days of compacted events, by (day, title id)."""
    rows = connection.execute(
        f"SELECT {DAY_COLUMNS} FROM profile_days"  # noqa: S608  constants
        " WHERE tenant = ? AND profile_id = ? ORDER BY day, title_id",
        (tenant, profile_id),
    ).fetchall()
    return [decode(row) for row in rows]


def _encode(one: WatchedDay) -> Row:
    hours = b"".join(_HOUR.pack(hour, ms) for hour, ms in enumerate(one.hours_ms) if ms)
    return (
        one.title_id,
        one.day,
        one.play_count,
        one.rewatch_count,
        one.complete_count,
        one.rating_count,
        one.watched_ms,
        hours,
        one.duration_ms,
        one.first_ms,
        one.last_ms,
        one.time_zone,
    )


def decode(row: Row) -> WatchedDay:
    """The day of a row of DAY_COLUMNS."""
    title_id, day, plays, rewatches, completes, ratings, watched, hours, *rest = row
    hours_ms = [0] * HOUR_COUNT
    for hour, ms in _HOUR.iter_unpack(hours):
        hours_ms[hour] = ms
    return WatchedDay(
        title_id, day, plays, rewatches, completes, ratings, watched, tuple(hours_ms), *rest
    )
