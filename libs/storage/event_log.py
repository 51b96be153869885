"""The event log: append and read, in the one order (occurred_ms, sequence, event_id)."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from libs.domain.event import Attribution, Event, EventKind
from libs.features.event_columns import ColumnsBuilder, EventColumns
from libs.storage.event_row import COLUMN_COUNT, EVENT_COLUMNS, WEIGHT_COLUMNS, Row, decode, encode
from libs.storage.history_row import HISTORY_COLUMNS, HistoryRow

# A chunk is read in one statement; its rows are held as Python values before they are packed.
CHUNK_ROWS: Final = 50_000

Order = tuple[int, int, str]
_Condition: TypeAlias = tuple[str, Sequence[object]]
Arrival = Literal["ORDER BY log_seq", "ORDER BY log_seq DESC"]

_ORDER: Final = "occurred_ms, sequence, event_id"
_NO_ORDER: Final[Order] = (-1, -1, "")

_INSERT: Final = (
    f"INSERT INTO events (tenant, {EVENT_COLUMNS}, {WEIGHT_COLUMNS})"  # noqa: S608  constants
    f" VALUES ({', '.join('?' * (COLUMN_COUNT + 1))})"
)
# The thumb before, of the same profile about the same title: what a thumb undoes.
_UNDONE: Final = (
    "(SELECT {} FROM events AS earlier WHERE earlier.tenant = events.tenant"  # noqa: S608  constants
    " AND earlier.profile_id = events.profile_id AND earlier.title_id = events.title_id"
    f" AND earlier.kind = {EventKind.THUMB.value}"
    " AND (earlier.occurred_ms, earlier.sequence, earlier.event_id)"
    " < (events.occurred_ms, events.sequence, events.event_id)"
    " ORDER BY earlier.occurred_ms DESC, earlier.sequence DESC, earlier.event_id DESC LIMIT 1)"
)
# The columns of libs.features.event_columns.ROW_COLUMNS.
_COLUMNS: Final = (
    "profile_id, title_id, country, kind, occurred_ms, sequence, engagement,"
    " rating_value / rating_scale, CASE thumb WHEN 1 THEN 1 WHEN 2 THEN -1 ELSE 0 END,"
    " opinion, device, daypart, ifnull(position, -1), propensity,"
    f" CASE WHEN kind = {EventKind.THUMB.value}"
    f" THEN ifnull({_UNDONE.format('earlier.opinion')}, 0) ELSE 0 END,"
    f" CASE WHEN kind = {EventKind.THUMB.value}"
    f" THEN ifnull({_UNDONE.format('earlier.country')}, '') ELSE '' END"
)


# Nothing is told of who is erased and not gone yet.
_TOLD: Final = (
    "profile_id NOT IN"
    " (SELECT profile_id FROM erasures WHERE tenant = ? AND profile_id IS NOT NULL)"
)
_QUALIFIED: Final = ", ".join(f"events.{name.strip()}" for name in EVENT_COLUMNS.split(","))


def known_ids(connection: sqlite3.Connection, tenant: str, event_ids: Collection[str]) -> set[str]:
    """Those of `event_ids` that are recorded."""
    rows = connection.execute(
        "SELECT event_id FROM events"
        " WHERE tenant = ? AND event_id IN (SELECT value FROM json_each(?))",
        (tenant, json.dumps(list(event_ids))),
    ).fetchall()
    return {event_id for (event_id,) in rows}


def append(
    connection: sqlite3.Connection,
    tenant: str,
    events: Sequence[Event],
    attributions: Mapping[str, Attribution],
    recorded_ms: int,
) -> None:
    """Append new events, with what decisions say of them by event_id."""
    connection.executemany(
        _INSERT,
        [
            (tenant, *encode(event, attributions.get(event.event_id), recorded_ms))
            for event in events
        ],
    )


def read_history(
    connection: sqlite3.Connection,
    tenant: str,
    profile_id: str,
    *,
    most: int,
    before: Order | None = None,
    title_id: str = "",
    kinds: Collection[EventKind] = (),
    as_of_ms: int | None = None,
) -> list[Event]:
    """A profile's newest events, newest first, that come before `before` and pass the filters."""
    wanted = _wanted(tenant, profile_id, before, title_id, kinds, as_of_ms)
    return [decode(row) for row in _newest(connection, EVENT_COLUMNS, wanted, most)]


def read_history_rows(
    connection: sqlite3.Connection,
    tenant: str,
    profile_id: str,
    *,
    most: int,
    before: Order | None = None,
    kinds: Collection[EventKind] = (),
    as_of_ms: int | None = None,
) -> list[HistoryRow]:
    """The rows of what `read_history` tells of the same."""
    wanted = _wanted(tenant, profile_id, before, "", kinds, as_of_ms)
    return _newest(connection, HISTORY_COLUMNS, wanted, most)


def _wanted(
    tenant: str,
    profile_id: str,
    before: Order | None,
    title_id: str,
    kinds: Collection[EventKind],
    as_of_ms: int | None,
) -> _Condition:
    conditions = ["tenant = ?", "profile_id = ?"]
    values: list[object] = [tenant, profile_id]
    numbers = sorted({kind.value for kind in kinds})  # a variable of the statement each
    filters: list[tuple[bool, str, Sequence[object]]] = [
        (before is not None, f"({_ORDER}) < (?, ?, ?)", before or ()),
        (bool(title_id), "title_id = ?", (title_id,)),
        (bool(numbers), f"kind IN ({', '.join('?' * len(numbers))})", numbers),
        (as_of_ms is not None, "occurred_ms <= ?", (as_of_ms,)),
    ]
    for is_wanted, condition, some in filters:
        if is_wanted:
            conditions.append(condition)
            values.extend(some)
    return " AND ".join(conditions), values


def _newest(
    connection: sqlite3.Connection, columns: str, wanted: _Condition, most: int
) -> list[Any]:
    condition, values = wanted
    return connection.execute(
        f"SELECT {columns} FROM events WHERE {condition}"  # noqa: S608  constants
        " ORDER BY occurred_ms DESC, sequence DESC, event_id DESC LIMIT ?",
        [*values, most],
    ).fetchall()


def read_profile_events(
    connection: sqlite3.Connection, tenant: str, profile_id: str, *, until_ms: int
) -> list[Event]:
    """A profile's events with occurred_ms < `until_ms`, in order."""
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM events"  # noqa: S608  constants
        " WHERE tenant = ? AND profile_id = ? AND occurred_ms < ?"
        f" ORDER BY {_ORDER}",
        (tenant, profile_id, until_ms),
    ).fetchall()
    return [decode(row) for row in rows]


def read_held_thumbs(
    connection: sqlite3.Connection,
    tenant: str,
    pairs: Collection[tuple[str, str]],
    but_for: Collection[str],
) -> list[Event]:
    """The newest thumb of each (profile id, title id), leaving out those event ids."""
    # One row a pair: who changes their mind all day costs no more for it.
    rows = connection.execute(
        f"SELECT {_QUALIFIED} FROM json_each(?) AS pair"  # noqa: S608  constants
        " CROSS JOIN events ON events.log_seq = (SELECT log_seq FROM events AS thumb"
        " INDEXED BY events_thumbs WHERE thumb.tenant = ?"
        " AND thumb.profile_id = pair.value ->> 0 AND thumb.title_id = pair.value ->> 1"
        f" AND thumb.kind = {EventKind.THUMB.value}"
        " AND thumb.event_id NOT IN (SELECT value FROM json_each(?))"
        " ORDER BY occurred_ms DESC, sequence DESC, event_id DESC LIMIT 1)",
        (json.dumps(sorted(pairs)), tenant, json.dumps(list(but_for))),
    ).fetchall()
    return [decode(row) for row in rows]


def read_profile_thumbs(
    connection: sqlite3.Connection, tenant: str, profile_id: str = ""
) -> list[Event]:
    """The thumbs of one profile, or of all, in no order."""
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM events INDEXED BY events_thumbs"  # noqa: S608  constants
        f" WHERE tenant = ? AND (? = '' OR profile_id = ?) AND kind = {EventKind.THUMB.value}",
        (tenant, profile_id, profile_id),
    ).fetchall()
    return [decode(row) for row in rows]


def read_oldest_columns(
    connection: sqlite3.Connection, tenant: str, profile_id: str, most: int
) -> tuple[EventColumns, list[int]]:
    """A profile's first events in order, with their places in the log."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, log_seq FROM events"  # noqa: S608  constants
        f" WHERE tenant = ? AND profile_id = ? ORDER BY {_ORDER} LIMIT ?",
        (tenant, profile_id, most),
    ).fetchall()
    columns = ColumnsBuilder()
    columns.extend([row[:-1] for row in rows])
    return columns.build(), [row[-1] for row in rows]


def read_profile_rows(
    connection: sqlite3.Connection, tenant: str, profile_id: str, *, watermark: int
) -> list[Row]:
    """A profile's rows of EVENT_COLUMNS with a place up to `watermark`, in order."""
    return connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM events"  # noqa: S608  constants
        " WHERE tenant = ? AND profile_id = ? AND log_seq <= ?"
        f" ORDER BY {_ORDER}",
        (tenant, profile_id, watermark),
    ).fetchall()


def read_arrivals(
    connection: sqlite3.Connection, tenant: str, order: Arrival, after: int, most: int
) -> list[tuple[int, Event]]:
    """At most `most` events with a place above `after`, with their places, in that order."""
    rows = connection.execute(
        f"SELECT log_seq, {EVENT_COLUMNS} FROM events"  # noqa: S608  constants
        # "+": by place, or every look would walk all that the tenant ever did.
        f" WHERE +tenant = ? AND log_seq > ? AND {_TOLD} {order} LIMIT ?",
        (tenant, after, tenant, most),
    ).fetchall()
    return [(row[0], decode(row[1:])) for row in rows]


def read_columns(
    connection: sqlite3.Connection, tenant: str, *, from_ms: int, until_ms: int
) -> EventColumns:
    """The events with `from_ms` ≤ occurred_ms < `until_ms`, in order, read in short chunks."""
    columns = ColumnsBuilder()
    last = _NO_ORDER
    while True:
        # The plain bound on occurred_ms is what the index is entered with.
        rows = connection.execute(
            f"SELECT {_COLUMNS}, event_id FROM events"  # noqa: S608  constants
            " WHERE tenant = ? AND occurred_ms >= ? AND occurred_ms < ?"
            f" AND ({_ORDER}) > (?, ?, ?) AND {_TOLD} ORDER BY {_ORDER} LIMIT ?",
            (tenant, max(from_ms, last[0]), until_ms, *last, tenant, CHUNK_ROWS),
        ).fetchall()
        columns.extend([row[:-1] for row in rows])
        if len(rows) < CHUNK_ROWS:
            return columns.build()
        last = (rows[-1][4], rows[-1][5], rows[-1][-1])


def read_columns_by_sequence(
    connection: sqlite3.Connection, tenant: str, *, after: int, until: int, most: int
) -> tuple[EventColumns, int]:
    """At most `most` events with `after` < log_seq ≤ `until`, and the log_seq to go on after.

    Those of who is erased and not gone yet are among them, as they are in the counters of titles.
    """
    last = connection.execute(
        "SELECT max(log_seq) FROM (SELECT log_seq FROM events WHERE log_seq > ? AND log_seq <= ?"
        " ORDER BY log_seq LIMIT ?)",
        (after, until, most),
    ).fetchone()[0]
    if last is None:
        return ColumnsBuilder().build(), until
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM events"  # noqa: S608  constants
        f" WHERE log_seq > ? AND log_seq <= ? AND tenant = ? ORDER BY {_ORDER}",
        (after, last, tenant),
    ).fetchall()
    columns = ColumnsBuilder()
    columns.extend(rows)
    return columns.build(), last
