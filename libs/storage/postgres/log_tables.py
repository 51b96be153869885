"""The log in PostgreSQL: claim ids, append by COPY, read in (occurred_ms, sequence, event_id)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, LiteralString

from psycopg import sql

from libs.domain.event import DAY_MS, Attribution, Event, EventKind
from libs.features.event_columns import ColumnsBuilder, EventColumns
from libs.storage.postgres.database import Connection
from libs.storage.postgres.identities import Identities, Identity
from libs.storage.postgres.log_row import ROW_COLUMNS, WRITTEN_COLUMNS, decode_row, encode_row

Connect = Callable[[], AbstractContextManager[Connection]]
Order = tuple[int, int, str]

CHUNK_ROWS: Final = 50_000

_ORDER: Final = "occurred_ms, sequence, event_id"
_NEWEST_FIRST: Final = "occurred_ms DESC, sequence DESC, event_id DESC"
_BETWEEN: Final = "\x1f"
_NO_ORDER: Final[Order] = (-1, -1, "")

COPY: Final = f"COPY events (tenant, batch_id, {WRITTEN_COLUMNS}) FROM STDIN"
# The thumb before, of the same profile about the same title: what a thumb undoes.
_UNDONE: Final = (
    "(SELECT {} FROM events AS earlier WHERE earlier.tenant = events.tenant"  # noqa: S608  constants
    " AND earlier.person = events.person AND earlier.title_id = events.title_id"
    f" AND earlier.kind = {EventKind.THUMB.value}"
    " AND (earlier.occurred_ms, earlier.sequence, earlier.event_id)"
    " < (events.occurred_ms, events.sequence, events.event_id)"
    " ORDER BY earlier.occurred_ms DESC, earlier.sequence DESC, earlier.event_id DESC LIMIT 1)"
)
# The columns of libs.features.event_columns.ROW_COLUMNS, with the number of the profile for its id.
_COLUMNS: Final = (
    "person, title_id, country, kind, occurred_ms, sequence, engagement,"
    " rating_value / rating_scale, CASE thumb WHEN 1 THEN 1 WHEN 2 THEN -1 ELSE 0 END,"
    " opinion, device, daypart, coalesce(position, -1), propensity,"
    f" CASE WHEN kind = {EventKind.THUMB.value}"
    f" THEN coalesce({_UNDONE.format('earlier.opinion')}, 0) ELSE 0 END,"
    f" CASE WHEN kind = {EventKind.THUMB.value}"
    f" THEN coalesce({_UNDONE.format('earlier.country')}, '') ELSE '' END"
)


def known_ids(connection: Connection, tenant: str, event_ids: Collection[str]) -> set[str]:
    """Those of `event_ids` that are recorded, or taken by this transaction."""
    if not event_ids:
        return set()
    rows = connection.execute(
        "SELECT event_id FROM event_ids WHERE tenant = %s AND event_id = ANY(%s)",
        (tenant, list(event_ids)),
    ).fetchall()
    return {event_id for (event_id,) in rows}


def claim(connection: Connection, tenant: str, event_ids: Collection[str]) -> set[str]:
    """Take ids that nobody has; returns those that are now this transaction's.

    Waits for another transaction that has taken one of them and is not done. In one order, so
    that two batches of the same events do not wait for each other.
    """
    if not event_ids:
        return set()
    rows = connection.execute(
        # One text is a third of the work of an array, and no id has a control character.
        "INSERT INTO event_ids (tenant, event_id) SELECT %s, unnest(string_to_array(%s, %s))"
        " ON CONFLICT DO NOTHING RETURNING event_id",
        (tenant, _BETWEEN.join(sorted(event_ids)), _BETWEEN),
    ).fetchall()
    return {event_id for (event_id,) in rows}


def unclaim(connection: Connection, tenant: str, event_ids: Collection[str]) -> None:
    """Give back ids: of events that are not written, or are no longer there."""
    connection.execute(
        "DELETE FROM event_ids WHERE tenant = %s AND event_id = ANY(%s)",
        (tenant, list(event_ids)),
    )


def append(
    connection: Connection,
    tenant: str,
    batch_id: int,
    events: Sequence[Event],
    attributions: Mapping[str, Attribution],
    now_ms: int,
    identities: Mapping[str, Identity],
) -> None:
    """Append events whose ids are claimed, with what decisions say of them by event_id.

    `identities` are those of their profiles.
    """
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for event in events:
            said = attributions.get(event.event_id)
            row = encode_row(event, said, now_ms, identities[event.profile_id])
            copy.write_row((tenant, batch_id, *row))


def read_history(
    connection: Connection,
    tenant: str,
    identity: Identity,
    *,
    most: int,
    before: Order | None = None,
    title_id: str = "",
    kinds: Collection[EventKind] = (),
    as_of_ms: int | None = None,
) -> list[Event]:
    """A profile's newest events, newest first, that come before `before` and pass the filters."""
    filters: list[tuple[bool, LiteralString, Sequence[object]]] = [
        (before is not None, f"({_ORDER}) < (%s, %s, %s)", before or ()),
        # What the index is entered with, and what leaves newer partitions aside.
        (before is not None, "occurred_ms <= %s", before[:1] if before else ()),
        (bool(title_id), "title_id = %s", (title_id,)),
        (bool(kinds), "kind = ANY(%s)", (sorted({kind.value for kind in kinds}),)),
        (as_of_ms is not None, "occurred_ms <= %s", (as_of_ms,)),
    ]
    conditions: list[LiteralString] = ["tenant = %s", "person = %s"]
    parameters: list[object] = [tenant, identity.person]
    for is_wanted, condition, some in filters:
        if is_wanted:
            conditions.append(condition)
            parameters.extend(some)
    query = sql.SQL("SELECT {} FROM events WHERE {} ORDER BY {} LIMIT %s").format(
        sql.SQL(ROW_COLUMNS),
        sql.SQL(" AND ").join(sql.SQL(condition) for condition in conditions),
        sql.SQL(_NEWEST_FIRST),
    )
    rows = connection.execute(query, [*parameters, most]).fetchall()
    return [decode_row(row, identity) for row in rows]


def read_active_days(connection: Connection, most: int) -> list[int]:
    """The newest `most` UTC days on which any event of any tenant occurred, newest first.

    As days since 1970; a few steps of an index for each tenant.
    """
    found: set[int] = set()
    tenant = ""
    while True:
        row = connection.execute(
            "SELECT tenant FROM events WHERE tenant > %s ORDER BY tenant LIMIT 1", (tenant,)
        ).fetchone()
        if row is None:
            return sorted(found, reverse=True)[:most]
        (tenant,) = row
        before_ms = 2**62
        for _ in range(most):
            newest = connection.execute(
                "SELECT occurred_ms FROM events WHERE tenant = %s AND occurred_ms < %s"
                " ORDER BY occurred_ms DESC LIMIT 1",
                (tenant, before_ms),
            ).fetchone()
            if newest is None:
                break
            found.add(newest[0] // DAY_MS)
            before_ms = newest[0] // DAY_MS * DAY_MS


def read_profile_events(
    connection: Connection, tenant: str, identity: Identity, *, until_ms: int
) -> list[Event]:
    """A profile's events with occurred_ms < `until_ms`, in order."""
    rows = connection.execute(
        f"SELECT {ROW_COLUMNS} FROM events"  # noqa: S608  constants
        f" WHERE tenant = %s AND person = %s AND occurred_ms < %s ORDER BY {_ORDER}",
        (tenant, identity.person, until_ms),
    ).fetchall()
    return [decode_row(row, identity) for row in rows]


def read_columns(
    connect: Connect, identities: Identities, tenant: str, *, from_ms: int, until_ms: int
) -> EventColumns:
    """The events with `from_ms` ≤ occurred_ms < `until_ms`, in order, read in short chunks."""
    columns = ColumnsBuilder()
    for rows in _chunks(connect, tenant, from_ms, until_ms):
        known = identities.of_persons(tenant, {row[0] for row in rows})
        columns.extend([(known[row[0]].profile_id, *row[1:-1]) for row in rows if row[0] in known])
    return columns.build()


def _chunks(
    connect: Connect, tenant: str, from_ms: int, until_ms: int
) -> Iterator[list[tuple[Any, ...]]]:
    last = _NO_ORDER
    while True:
        with connect() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS}, event_id FROM events"  # noqa: S608  constants
                " WHERE tenant = %s AND occurred_ms >= %s AND occurred_ms < %s"
                f" AND ({_ORDER}) > (%s, %s, %s) ORDER BY {_ORDER} LIMIT %s",
                (tenant, max(from_ms, last[0]), until_ms, *last, CHUNK_ROWS),
                binary=True,
            ).fetchall()
        yield rows
        if len(rows) < CHUNK_ROWS:
            return
        last = (rows[-1][4], rows[-1][5], rows[-1][-1])
