"""What is kept of events that were compacted: bases, shares and the ids that were there.

A base is what the events have made of a profile and its titles, a share what they have added to
the counters of a title. Together with the events that are left they give the same features.
Days are in a table of their own.
"""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from libs.domain.event import Event
from libs.faults import HistoryCompacted
from libs.features.event_columns import EventColumns
from libs.features.profile_state import NO_BASE, ProfileBase, ProfileFold
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.title_record import RECORD_KINDS, TitleFold
from libs.features.title_shares import (
    TitleShares,
    decode_cells,
    encode_cells,
    title_shares,
)
from libs.features.watched_days import watched_days
from libs.storage import day_table

STATEMENTS: Final = (
    # Up to when a tenant's events may be compacted, and how many are.
    "CREATE TABLE compactions (tenant TEXT PRIMARY KEY, until_ms INTEGER NOT NULL,"
    " event_count INTEGER NOT NULL, feature_schema INTEGER NOT NULL) WITHOUT ROWID",
    # 8 bytes of a hash of an event's id: that it was there, and nothing else of it.
    "CREATE TABLE compacted_ids (tenant TEXT NOT NULL, id INTEGER NOT NULL,"
    " PRIMARY KEY (tenant, id)) WITHOUT ROWID",
    "CREATE TABLE profile_bases (tenant TEXT NOT NULL, profile_id TEXT NOT NULL,"
    " event_count INTEGER NOT NULL, oldest_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL,"
    " counters BLOB NOT NULL, PRIMARY KEY (tenant, profile_id)) WITHOUT ROWID",
    "CREATE TABLE title_bases (tenant TEXT NOT NULL, profile_id TEXT NOT NULL,"
    " title_id TEXT NOT NULL, record BLOB NOT NULL, intervals BLOB NOT NULL,"
    " PRIMARY KEY (tenant, profile_id, title_id)) WITHOUT ROWID",
    "CREATE TABLE title_shares (tenant TEXT NOT NULL, profile_id TEXT NOT NULL,"
    " title_id TEXT NOT NULL, country TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " cells BLOB NOT NULL, PRIMARY KEY (tenant, profile_id, title_id, country)) WITHOUT ROWID",
    day_table.STATEMENT,
)
_TOLD: Final = (
    " AND profile_id NOT IN"
    " (SELECT profile_id FROM erasures WHERE tenant = :tenant AND profile_id IS NOT NULL)"
)

# Records are mostly zeros: a quarter is left of them, for 10 µs each.
_LEVEL: Final = 1

# Shares that are read at once; each takes as many numbers as there are counters.
_SHARE_ROWS: Final = 20_000


def compacted_until_ms(connection: sqlite3.Connection, tenant: str) -> int:
    """The time up to which the tenant's events may be compacted; −1 for none."""
    row = connection.execute(
        "SELECT until_ms FROM compactions WHERE tenant = ?", (tenant,)
    ).fetchone()
    return -1 if row is None else int(row[0])


def check_told(connection: sqlite3.Connection, tenant: str, as_of_ms: int | None) -> None:
    """Raise HistoryCompacted for a time whose state is not known any more."""
    until_ms = compacted_until_ms(connection, tenant)
    if as_of_ms is not None and as_of_ms < until_ms:
        raise HistoryCompacted(as_of_ms, until_ms)


def compacted_count(connection: sqlite3.Connection) -> int:
    """How many events were ever compacted: another number after each step."""
    (count,) = connection.execute("SELECT ifnull(sum(event_count), 0) FROM compactions").fetchone()
    return int(count)


def foreign_schema(connection: sqlite3.Connection) -> int | None:
    """A feature schema other than this one that bases are of, if there are such."""
    row = connection.execute(
        "SELECT feature_schema FROM compactions WHERE feature_schema <> ?",
        (FEATURE_SCHEMA_VERSION,),
    ).fetchone()
    return None if row is None else int(row[0])


def known_ids(connection: sqlite3.Connection, tenant: str, event_ids: Collection[str]) -> set[str]:
    """Those of `event_ids` that were recorded and compacted."""
    if not connection.execute(
        "SELECT 1 FROM compacted_ids WHERE tenant = ? LIMIT 1", (tenant,)
    ).fetchone():
        return set()
    names = {_number(event_id): event_id for event_id in event_ids}
    rows = connection.execute(
        "SELECT id FROM compacted_ids WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))",
        (tenant, json.dumps(list(names))),
    ).fetchall()
    return {names[number] for (number,) in rows}


def keep(
    connection: sqlite3.Connection,
    tenant: str,
    profile_id: str,
    events: Sequence[Event],
    columns: EventColumns,
    until_ms: int,
) -> None:
    """Fold events of one profile, in order, into what is kept; `columns` are those of the same."""
    connection.execute(
        "INSERT INTO compactions (tenant, until_ms, event_count, feature_schema)"
        " VALUES (?, ?, ?, ?) ON CONFLICT (tenant) DO UPDATE SET"
        " until_ms = max(until_ms, excluded.until_ms),"
        " event_count = event_count + excluded.event_count",
        (tenant, until_ms, len(events), FEATURE_SCHEMA_VERSION),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO compacted_ids (tenant, id) VALUES (?, ?)",
        sorted((tenant, _number(event.event_id)) for event in events),
    )
    key = (tenant, profile_id)
    _keep_profile(connection, key, events)
    _keep_titles(connection, key, events)
    _keep_shares(connection, key, columns)
    day_table.merge(connection, tenant, profile_id, watched_days(events))


def _keep_profile(
    connection: sqlite3.Connection, key: tuple[str, str], events: Sequence[Event]
) -> None:
    found = connection.execute(
        "SELECT counters, newest_ms FROM profile_bases WHERE tenant = ? AND profile_id = ?", key
    ).fetchone()
    fold = ProfileFold(*found) if found else ProfileFold()
    for event in events:
        fold.apply(event)
    connection.execute(
        "INSERT INTO profile_bases (tenant, profile_id, event_count, oldest_ms, newest_ms,"
        " counters) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, profile_id) DO UPDATE SET"
        " event_count = event_count + excluded.event_count,"
        " oldest_ms = min(oldest_ms, excluded.oldest_ms),"
        " newest_ms = excluded.newest_ms, counters = excluded.counters",
        (
            *key,
            len(events),
            min(event.occurred_ms for event in events),
            fold.newest_ms,
            fold.encode(),
        ),
    )


def _keep_titles(
    connection: sqlite3.Connection, key: tuple[str, str], events: Iterable[Event]
) -> None:
    by_title: dict[str, list[Event]] = {}
    for event in events:
        if event.kind in RECORD_KINDS:
            by_title.setdefault(event.title_id, []).append(event)
    held = {
        title_id: (zlib.decompress(record), watched)
        for title_id, record, watched in connection.execute(
            "SELECT title_id, record, intervals FROM title_bases WHERE tenant = ?"
            " AND profile_id = ? AND title_id IN (SELECT value FROM json_each(?))",
            (*key, json.dumps(list(by_title))),
        ).fetchall()
    }
    rows = []
    for title_id, some in by_title.items():
        fold = TitleFold(*held.get(title_id, ()))
        for event in some:
            fold.apply(event)
        record = zlib.compress(fold.encode_record(), _LEVEL)
        rows.append((*key, title_id, record, fold.encode_intervals()))
    connection.executemany(
        "INSERT OR REPLACE INTO title_bases (tenant, profile_id, title_id, record, intervals)"
        " VALUES (?, ?, ?, ?, ?)",
        rows,
    )


def _keep_shares(
    connection: sqlite3.Connection, key: tuple[str, str], columns: EventColumns
) -> None:
    found = connection.execute(
        "SELECT country, title_id, cells, at_ms FROM title_shares WHERE tenant = ?"
        " AND profile_id = ? AND title_id IN (SELECT value FROM json_each(?))",
        (*key, json.dumps(columns.title_ids)),
    ).fetchall()
    values = decode_cells(cells for _, _, cells, _ in found)
    before = {
        (country, title_id): (values[row], at_ms)
        for row, (country, title_id, _, at_ms) in enumerate(found)
    }
    shares = title_shares(columns, before)
    connection.executemany(
        "INSERT OR REPLACE INTO title_shares (tenant, profile_id, title_id, country, at_ms, cells)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (*key, title_id, country, at_ms, encode_cells(row))
            for title_id, country, at_ms, row in zip(
                shares.title_ids,
                shares.countries,
                shares.at_ms.tolist(),
                shares.values,
                strict=True,
            )
        ],
    )


def read_base(connection: sqlite3.Connection, tenant: str, profile_id: str) -> ProfileBase:
    """What the compacted events of a profile have made of it."""
    key = (tenant, profile_id)
    found = connection.execute(
        "SELECT counters, newest_ms FROM profile_bases WHERE tenant = ? AND profile_id = ?", key
    ).fetchone()
    if found is None:
        return NO_BASE
    rows = connection.execute(
        "SELECT title_id, record, intervals FROM title_bases WHERE tenant = ? AND profile_id = ?",
        key,
    ).fetchall()
    titles = {title_id: (zlib.decompress(record), watched) for title_id, record, watched in rows}
    own, newest_ms = found
    return ProfileBase(own, newest_ms, titles)


def profile_ids(connection: sqlite3.Connection, tenant: str) -> set[str]:
    """The profiles of which any event is compacted."""
    rows = connection.execute(
        "SELECT profile_id FROM profile_bases WHERE tenant = ?", (tenant,)
    ).fetchall()
    return {profile_id for (profile_id,) in rows}


def read_counts(
    connection: sqlite3.Connection, tenant: str, profile_id: str
) -> tuple[int, int | None]:
    """How many events of a profile are compacted, and when the oldest of them occurred."""
    row = connection.execute(
        "SELECT event_count, oldest_ms FROM profile_bases WHERE tenant = ? AND profile_id = ?",
        (tenant, profile_id),
    ).fetchone()
    return (0, None) if row is None else (row[0], row[1])


def read_profile_shares(
    connection: sqlite3.Connection, tenant: str, profile_id: str, most: int
) -> tuple[list[tuple[str, str]], TitleShares]:
    """What a profile's compacted events have added to the counters of at most so many titles.

    With the (title id, country) of each.
    """
    rows = connection.execute(
        "SELECT country, title_id, at_ms, cells FROM title_shares"
        " WHERE tenant = ? AND profile_id = ? LIMIT ?",
        (tenant, profile_id, most),
    ).fetchall()
    return [(row[1], row[0]) for row in rows], _shares(rows)


def read_shares(
    connection: sqlite3.Connection, tenant: str, *, told_only: bool = False
) -> Iterator[TitleShares]:
    """What the compacted events of all profiles have added, a part at a time.

    With `told_only` without those of who is erased and not gone yet.
    """
    told = _TOLD if told_only else ""
    last = ("", "", "")
    while True:
        rows = connection.execute(
            "SELECT country, title_id, at_ms, cells, profile_id FROM title_shares"  # noqa: S608
            " WHERE tenant = :tenant AND (profile_id, title_id, country) > (:who, :title, :country)"
            f"{told} ORDER BY profile_id, title_id, country LIMIT :most",
            {
                "tenant": tenant,
                **dict(zip(("who", "title", "country"), last, strict=True)),
                "most": _SHARE_ROWS,
            },
        ).fetchall()
        if rows:
            yield _shares([row[:4] for row in rows])
        if len(rows) < _SHARE_ROWS:
            return
        last = (rows[-1][4], rows[-1][1], rows[-1][0])


def _shares(rows: Sequence[tuple[str, str, int, bytes]]) -> TitleShares:
    return TitleShares(
        countries=tuple([row[0] for row in rows]),
        title_ids=tuple([row[1] for row in rows]),
        values=decode_cells(row[3] for row in rows),
        at_ms=np.array([row[2] for row in rows], np.int64),
    )


def _number(event_id: str) -> int:
    """What is kept of an event's id; of a billion events one in ten billion shares it."""
    digest = hashlib.blake2b(event_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
