"""Partitions of the log by time: a calendar month each, and a calendar year each long ago."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import psycopg
from psycopg import sql

from libs.domain.event import DAY_MS

# Years before this have one partition each: nobody drops an old month of an import, and a
# catalogue's history of decades would be hundreds of tables to plan over.
MONTHLY_FROM_YEAR: Final = 2025

_LOCK: Final = 7_400_002


class Partition(NamedTuple):
    """The events with `from_ms` ≤ occurred_ms < `until_ms`."""

    name: str
    from_ms: int
    until_ms: int


def partition_of(occurred_ms: int) -> Partition:
    """The one partition that an event of that time belongs to."""
    at = datetime.fromtimestamp(occurred_ms / 1000, UTC)
    if at.year < MONTHLY_FROM_YEAR:
        return Partition(f"events_{at.year}", _ms(at.year, 1), _ms(at.year + 1, 1))
    following = (at.year + at.month // 12, at.month % 12 + 1)
    return Partition(f"events_{at:%Y_%m}", _ms(at.year, at.month), _ms(*following))


class Partitions:
    """Makes partitions that are missing; remembers those that are there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._days: set[int] = set()  # partitions begin and end with a day

    def ensure(self, times_ms: Iterable[int]) -> None:
        """Have a partition for every time; raises psycopg.Error.

        On a connection of its own: one that has touched the log would wait for itself.
        """
        missing = {time_ms // DAY_MS for time_ms in times_ms} - self._days
        if missing:
            with psycopg.connect(self._url) as connection:
                for partition in sorted({partition_of(day * DAY_MS) for day in missing}):
                    _make(connection, partition)
            self._days |= missing


def _make(connection: "psycopg.Connection[tuple[object, ...]]", partition: Partition) -> None:
    name, parent = sql.Identifier(partition.name), sql.Identifier("events")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    found = connection.execute("SELECT to_regclass(%s)::text", (partition.name,)).fetchone()
    if found is not None and found[0] is not None:
        return
    # Attached rather than created in place: that would stop all reads and writes of the log.
    connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(name, parent))
    connection.execute(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            parent, name, sql.Literal(partition.from_ms), sql.Literal(partition.until_ms)
        )
    )


def _ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
