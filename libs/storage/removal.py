"""Removal: what is held of an erased profile goes, a few rows at a time.

A tombstone comes first, with the counts of the whole: from then on nothing of the profile is taken
and no read tells of it, whatever is left. Each step is part of one transaction, and takes rows out
of the counters of titles together with the rows themselves. Nothing has to be remembered between
steps, and a process that dies goes on where the next one begins.
"""

import sqlite3
from typing import Any, Final

from libs.domain.erasure import Erasure, ServiceErasure
from libs.domain.event import EventKind
from libs.features.event_columns import from_events
from libs.features.thumbs import thumb_shares
from libs.storage import compacted, event_log
from libs.storage.event_row import EVENT_COLUMNS, decode
from libs.storage.feature_tables import FeatureTables

# Rows of one step: some 10 ms, for which those who write wait.
STEP_ROWS: Final = 500

# Rows that stand for nothing in the counters of titles, by what tells them apart.
_PLAIN_TABLES: Final = {
    "decisions": "page_id",
    "profile_titles": "title_id",
    "title_bases": "title_id",
    "profile_days": "day, title_id",
}
# One row each, without which a profile has no features and is in no list.
_SINGLE_TABLES: Final = ("profiles", "profile_counters", "profile_bases")

_Key = tuple[str, str]


def begin(
    connection: sqlite3.Connection,
    tenant: str,
    profile_id: str,
    services: tuple[str, ...],
    now_ms: int,
) -> Erasure:
    """Count what is held, and delete what says that there is such a profile."""
    key = (tenant, profile_id)
    compacted_count, oldest_ms = compacted.read_counts(connection, tenant, profile_id)
    (first_ms,) = connection.execute(
        "SELECT min(occurred_ms) FROM events WHERE tenant = ? AND profile_id = ?", key
    ).fetchone()
    moments = [one for one in (oldest_ms, first_ms) if one is not None]
    erasure = Erasure(
        erased_ms=now_ms,
        event_count=_count(connection, "events", key) + compacted_count,
        decision_count=_count(connection, "decisions", key),
        title_count=_count(connection, "profile_titles", key),
        had_profile=_count(connection, "profiles", key) > 0,
        oldest_event_ms=min(moments, default=None),
        services=tuple(ServiceErasure(service) for service in services),
        is_removed=False,
    )
    for table in _SINGLE_TABLES:
        connection.execute(
            f"DELETE FROM {table} WHERE tenant = ? AND profile_id = ?",  # noqa: S608  constants
            key,
        )
    return erasure


def step(
    connection: sqlite3.Connection,
    features: FeatureTables,
    tenant: str,
    profile_id: str,
    most: int = STEP_ROWS,
) -> bool:
    """Remove at most `most` rows of a profile; whether nothing is left. Belongs in a transaction.

    When it raises, `features` do not hold what the tables do any more.
    """
    key = (tenant, profile_id)
    for remove in (_remove_thumbs, _remove_events, _remove_shares):
        most -= remove(connection, features, key, most)
        if most <= 0:
            return False
    for table, names in _PLAIN_TABLES.items():
        most -= connection.execute(
            f"DELETE FROM {table} WHERE (tenant, {names}) IN (SELECT tenant, {names}"  # noqa: S608
            f" FROM {table} WHERE tenant = ? AND profile_id = ? LIMIT ?)"
            " AND profile_id = ?",
            (*key, most, profile_id),
        ).rowcount
        if most <= 0:
            return False
    return True


def _remove_thumbs(
    connection: sqlite3.Connection, features: FeatureTables, key: _Key, most: int
) -> int:
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS}, log_seq FROM events INDEXED BY events_thumbs"  # noqa: S608
        f" WHERE tenant = ? AND profile_id = ? AND kind = {EventKind.THUMB.value}"
        " ORDER BY title_id, occurred_ms, sequence, event_id LIMIT ?",
        (*key, most + 1),
    ).fetchall()
    if not rows:
        return 0
    thumbs = [decode(row[:-1]) for row in rows]
    # Of a title whose thumbs go on behind these the newest is not among them, which is the one
    # that counts.
    cut_title = thumbs[most].title_id if len(rows) > most else None
    rows, thumbs = rows[:most], thumbs[:most]
    features.remove_shares(
        key[0], thumb_shares([one for one in thumbs if one.title_id != cut_title])
    )
    features.remove(key[0], from_events(thumbs))
    _delete_events(connection, rows)
    return len(rows)


def _remove_events(
    connection: sqlite3.Connection, features: FeatureTables, key: _Key, most: int
) -> int:
    columns, log_seqs = event_log.read_oldest_columns(connection, *key, most)
    if log_seqs:
        features.remove(key[0], columns)
        _delete_events(connection, [(one,) for one in log_seqs])
    return len(log_seqs)


def _delete_events(connection: sqlite3.Connection, rows: list[Any]) -> None:
    connection.executemany("DELETE FROM events WHERE log_seq = ?", [row[-1:] for row in rows])


def _remove_shares(
    connection: sqlite3.Connection, features: FeatureTables, key: _Key, most: int
) -> int:
    places, shares = compacted.read_profile_shares(connection, *key, most)
    if places:
        features.remove_shares(key[0], shares)
        connection.executemany(
            "DELETE FROM title_shares"
            " WHERE tenant = ? AND profile_id = ? AND title_id = ? AND country = ?",
            [(*key, *place) for place in places],
        )
    return len(places)


def _count(connection: sqlite3.Connection, table: str, key: _Key) -> int:
    (count,) = connection.execute(
        f"SELECT count(*) FROM {table} WHERE tenant = ? AND profile_id = ?",  # noqa: S608  constants
        key,
    ).fetchone()
    return int(count)
