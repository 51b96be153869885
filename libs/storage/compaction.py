"""Compaction: events of long ago become what is kept of them, a few at a time.

Each step is part of one transaction: it folds the oldest events of some profiles into what is
kept of them and deletes them, so that before and after it everything is there once. Nothing has
to be remembered between steps, and a process that dies goes on where the next one begins.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from libs.domain.event import DAY_MS, EventKind
from libs.storage import compacted, erasure_table, event_log
from libs.storage.event_row import EVENT_COLUMNS, decode
from libs.storage.event_schema import EVENT_SCHEMA
from libs.storage.sqlite import open_writer, transaction

# Events of one step: some 20 ms, for which those who write wait.
STEP_EVENTS: Final = 500
# Profiles that one step looks at; most have nothing that is old enough.
_STEP_PROFILES: Final = 1_000

# Thumbs stay: they are few, and what a thumb undoes is told by the one before it.
_IS_COMPACTED: Final = f"kind <> {EventKind.THUMB.value}"

Place = tuple[str, str]
FIRST: Final[Place] = ("", "")


@dataclass(frozen=True, slots=True)
class CompactionStep:
    """What one step did; `after` is the place to go on behind, None at the end.

    A place is a tenant and what the store orders its profiles by. Where somebody else compacts
    (`is_elsewhere`) nothing was done.
    """

    event_count: int
    after: Place | None
    is_elsewhere: bool = False


# Days of which `believed_ms` wants to know.
ACTIVE_DAYS: Final = 2


def believed_ms(now_ms: int, active_days: Sequence[int]) -> int:
    """The time from which days are counted that are kept: what clock and log agree on.

    The clock, but not after the last day but one on which anything happened, so that one that
    jumps ahead compacts nothing until it has been wrong on a second day. `active_days` are the
    newest UTC days of the log, newest first, numbered from 1970; with fewer than two nothing is
    believed. Where something happens every day this is the clock's day.
    """
    if len(active_days) < ACTIVE_DAYS:
        return 0
    return min(now_ms, (active_days[ACTIVE_DAYS - 1] + 1) * DAY_MS)


def compact_before(now_ms: int, days: int) -> int:
    """The last moment whose events are compacted when `days` are kept: the end of a UTC day."""
    return (now_ms - days * DAY_MS) // DAY_MS * DAY_MS


def step(
    connection: sqlite3.Connection, until_ms: int, after: Place, most: int = STEP_EVENTS
) -> CompactionStep:
    """Compact at most `most` events with occurred_ms ≤ `until_ms`, of profiles behind `after`.

    Belongs in a transaction.
    """
    count = 0
    for _ in range(_STEP_PROFILES):
        place = connection.execute(
            "SELECT tenant, profile_id FROM events WHERE (tenant, profile_id) > (?, ?)"
            " ORDER BY tenant, profile_id LIMIT 1",
            after,
        ).fetchone()
        if place is None:
            return CompactionStep(count, None)
        tenant, profile_id = place
        if erasure_table.is_pending(connection, tenant, profile_id):
            after = place  # it goes, a little at a time as well
            continue
        done = _compact_profile(connection, tenant, profile_id, until_ms, most - count)
        count += done
        if count >= most:
            # There may be more of this profile.
            return CompactionStep(count, after)
        after = (tenant, profile_id)
    return CompactionStep(count, after)


def _compact_profile(
    connection: sqlite3.Connection, tenant: str, profile_id: str, until_ms: int, most: int
) -> int:
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS}, log_seq FROM events"  # noqa: S608  constants
        f" WHERE tenant = ? AND profile_id = ? AND occurred_ms <= ? AND {_IS_COMPACTED}"
        " ORDER BY occurred_ms, sequence, event_id LIMIT ?",
        (tenant, profile_id, until_ms, most),
    ).fetchall()
    if rows:
        events = [decode(row[:-1]) for row in rows]
        compacted.keep(connection, tenant, profile_id, events, until_ms)
        connection.executemany("DELETE FROM events WHERE log_seq = ?", [row[-1:] for row in rows])
    return len(rows)


def compact_file(path: Path, until_ms: int) -> Iterator[int]:
    """Compact a file that nobody writes; yields how many events are compacted so far.

    At the end the file is written anew, and is as small as what is in it. Raises StartFault when
    it cannot be written, or is of another schema.
    """
    writer = open_writer(path, EVENT_SCHEMA)
    try:
        after: Place | None = FIRST
        count = 0
        while after is not None:
            with transaction(writer.connection):
                done = step(writer.connection, until_ms, after)
            count, after = count + done.event_count, done.after
            yield count
        if count:
            writer.connection.execute("VACUUM")
    finally:
        writer.close()


def active_days(path: Path) -> list[int]:
    """The newest ACTIVE_DAYS days of a file; raises StartFault as `compact_file`."""
    writer = open_writer(path, EVENT_SCHEMA)
    try:
        return event_log.read_active_days(writer.connection, ACTIVE_DAYS)
    finally:
        writer.close()


def count_old(path: Path, until_ms: int) -> int:
    """How many events of a file are to be compacted; raises StartFault as `compact_file`."""
    writer = open_writer(path, EVENT_SCHEMA)
    try:
        (count,) = writer.connection.execute(
            f"SELECT count(*) FROM events WHERE occurred_ms <= ? AND {_IS_COMPACTED}",  # noqa: S608
            (until_ms,),
        ).fetchone()
    finally:
        writer.close()
    return int(count)
