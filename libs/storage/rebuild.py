"""The feature tables made anew from the log, a little at a time while the log goes on growing.

A profile's rows are replaced together, from all of its events at that moment, so they are true
before and after. Title counters are summed beside the table and replace it in one transaction,
which first adds what has been recorded in between.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from libs.domain.event import Event
from libs.faults import StartFault
from libs.features.counters import Counters, encode_counters
from libs.features.daypart import event_daypart
from libs.features.engagement import engagement, opinion
from libs.features.event_columns import without_thumbs
from libs.features.profile_state import NO_BASE, ProfileReplay
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.thumbs import thumb_shares
from libs.features.title_counters import TITLE_COUNTER_COUNT
from libs.features.title_table import LiveTitleCounters
from libs.storage import compacted, erasure_table, event_log
from libs.storage.event_row import EVENT_COLUMNS, WEIGHT_COLUMNS, decode
from libs.storage.event_schema import (
    EVENT_SCHEMA,
    FEATURE_STATEMENTS,
    FEATURE_TABLES,
    has_this_log,
)
from libs.storage.sqlite import open_writer, transaction

# Events of one step: some 30 ms, for which those who write wait.
STEP_EVENTS: Final = 2_000
# A step of title counters holds its events as columns.
_TITLE_STEP_EVENTS: Final = 20_000


def rebuild_file(path: Path) -> Iterator[float]:
    """Rebuild the features of a file that nobody writes, also one of another feature schema.

    Yields the share that is done. Until the end a file of another schema stays refused by
    everybody else. Raises StartFault when the file cannot be written or is of other tables.
    """
    writer = open_writer(path, EVENT_SCHEMA, accepts=has_this_log)
    try:
        connection = writer.connection
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        _check_bases(connection, path)
        if found != EVENT_SCHEMA.version:
            with transaction(connection):
                for table in FEATURE_TABLES:
                    connection.execute(f"DROP TABLE {table}")
                for statement in FEATURE_STATEMENTS:
                    connection.execute(statement)
        yield from rebuild(connection)
        connection.execute(f"PRAGMA user_version = {EVENT_SCHEMA.version}")
    finally:
        writer.close()


def _check_bases(connection: sqlite3.Connection, path: Path) -> None:
    foreign = compacted.foreign_schema(connection)
    if foreign is not None:
        raise StartFault(
            f"{path} holds compacted events of feature schema {foreign}, and this release,"
            f" of {FEATURE_SCHEMA_VERSION}, cannot make features of them"
        )


def rebuild(
    connection: sqlite3.Connection, on_replaced: Callable[[], None] = lambda: None
) -> Iterator[float]:
    """Rebuild all features; yields the share that is done, between short transactions.

    At a yield the connection is free, and events may be recorded. `on_replaced` is called when
    title counters have been replaced: what was held of them in memory is no longer true.
    """
    profiles = _profiles(connection)
    # What is left after the profiles, by measurement.
    whole = max(len(profiles), 1) * 1.1
    done = 0
    while done < len(profiles):
        with transaction(connection):
            count = 0
            while done < len(profiles) and count < STEP_EVENTS:
                count += _rebuild_profile(connection, *profiles[done])
                done += 1
        yield done / whole
    for tenant in sorted({tenant for tenant, _ in profiles} | _tenants(connection)):
        for _ in _rebuild_titles(connection, tenant, on_replaced):
            yield done / whole


def _profiles(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every (tenant, profile id) with events or with features, ascending."""
    found = set(connection.execute("SELECT tenant, profile_id FROM profile_counters").fetchall())
    found |= set(connection.execute("SELECT tenant, profile_id FROM profile_titles").fetchall())
    found |= set(connection.execute("SELECT tenant, profile_id FROM profile_bases").fetchall())
    last = ("", "")
    while True:
        # A step of the index for each profile; DISTINCT would read all of its entries.
        row = connection.execute(
            "SELECT tenant, profile_id FROM events WHERE (tenant, profile_id) > (?, ?)"
            " ORDER BY tenant, profile_id LIMIT 1",
            last,
        ).fetchone()
        if row is None:
            return sorted(found)
        found.add(row)
        last = row


def _tenants(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute(
        "SELECT tenant FROM title_counters UNION SELECT tenant FROM compactions"
    ).fetchall()
    return {tenant for (tenant,) in rows}


def _rebuild_profile(connection: sqlite3.Connection, tenant: str, profile_id: str) -> int:
    """Replace one profile's rows; returns how many events it has."""
    if erasure_table.is_pending(connection, tenant, profile_id):
        return 1  # it has no features any more, and what is left goes
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS}, {WEIGHT_COLUMNS}, log_seq FROM events"  # noqa: S608  constants
        " WHERE tenant = ? AND profile_id = ?",
        (tenant, profile_id),
    ).fetchall()
    events = [decode(row[:-4]) for row in rows]  # less the weights and log_seq
    weighed = [
        (*weights, row[-1])
        for row, weights in zip(rows, map(_weights, events), strict=True)
        if weights != tuple(row[-4:-1])
    ]
    connection.executemany(
        "UPDATE events SET engagement = ?, opinion = ?, daypart = ? WHERE log_seq = ?", weighed
    )
    key = (tenant, profile_id)
    for table in ("profile_titles", "profile_counters"):
        connection.execute(
            f"DELETE FROM {table} WHERE tenant = ? AND profile_id = ?",  # noqa: S608  constants
            key,
        )
    base = compacted.read_base(connection, tenant, profile_id)
    if not events and base is NO_BASE:
        return 1
    replay = ProfileReplay(base)
    replay.advance(events)
    connection.execute(
        "INSERT INTO profile_counters (tenant, profile_id, counters, newest_ms)"
        " VALUES (?, ?, ?, ?)",
        (*key, *replay.own()),
    )
    connection.executemany(
        "INSERT INTO profile_titles (tenant, profile_id, title_id, record, intervals)"
        " VALUES (?, ?, ?, ?, ?)",
        [(*key, *row) for row in replay.rows()],
    )
    return max(len(events), 1)


def _weights(event: Event) -> tuple[float, int, int]:
    """WEIGHT_COLUMNS."""
    return engagement(event), opinion(event), event_daypart(event)


def _rebuild_titles(
    connection: sqlite3.Connection, tenant: str, on_replaced: Callable[[], None]
) -> Iterator[None]:
    """Sum one tenant's title counters beside the table, then replace all of its rows."""
    is_replaced = False
    while not is_replaced:
        live, after = LiveTitleCounters(), 0
        moved, until = _moved(connection), _newest(connection)
        for shares in compacted.read_shares(connection, tenant):
            live.add_shares(shares)
            yield
        while after < until:
            after = _add(connection, tenant, live, after, until)
            yield
        with transaction(connection):
            # What an erasure has taken out meanwhile may be in the sum already, and what was
            # compacted twice or not at all: then anew.
            is_replaced = _moved(connection) == moved
            if is_replaced:
                until = _newest(connection)
                while after < until:
                    after = _add(connection, tenant, live, after, until)
                # All at once: what a thumb undoes changes when one comes late.
                live.add_shares(thumb_shares(event_log.read_profile_thumbs(connection, tenant)))
                _replace_titles(connection, tenant, live)
    on_replaced()
    yield


def _moved(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Another value after each erasure, each of its steps and each step of compaction."""
    (erased,) = connection.execute("SELECT count(*) FROM erasures").fetchone()
    left = 0
    for tenant, profile_id in erasure_table.pending(connection):
        for table in ("events", "title_shares"):
            (count,) = connection.execute(
                f"SELECT count(*) FROM {table} WHERE tenant = ? AND profile_id = ?",  # noqa: S608
                (tenant, profile_id),
            ).fetchone()
            left += count
    return int(erased), left, compacted.compacted_count(connection)


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(log_seq) FROM events").fetchone()[0] or 0)


def _add(
    connection: sqlite3.Connection, tenant: str, live: LiveTitleCounters, after: int, until: int
) -> int:
    columns, last = event_log.read_columns_by_sequence(
        connection, tenant, after=after, until=until, most=_TITLE_STEP_EVENTS
    )
    live.add(without_thumbs(columns))
    return last


def _replace_titles(connection: sqlite3.Connection, tenant: str, live: LiveTitleCounters) -> None:
    """All rows are of a new change, so that readers take over every one of them."""
    (last_change,) = connection.execute(
        "SELECT ifnull(max(change), 0) FROM title_counters WHERE tenant = ?", (tenant,)
    ).fetchone()
    # Those that nothing in the log stands for any more become zeros: readers drop no row.
    gone = Counters(np.zeros(TITLE_COUNTER_COUNT), 0)
    connection.execute(
        "UPDATE title_counters SET change = ?, counters = ? WHERE tenant = ?",
        (last_change + 1, encode_counters(gone), tenant),
    )
    connection.executemany(
        "INSERT INTO title_counters (tenant, country, title_id, change, counters)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, country, title_id)"
        " DO UPDATE SET counters = excluded.counters",
        [
            (tenant, country, title_id, last_change + 1, encode_counters(Counters(*live.row(row))))
            for row, (country, title_id) in enumerate(live.rows.keys)
        ],
    )
