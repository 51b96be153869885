"""Held thumbs: what newer ones undo, of however many there were before."""

from collections.abc import Collection
from typing import Final

from libs.domain.event import EventKind
from libs.storage.event_row import Row
from libs.storage.postgres.database import Connection
from libs.storage.postgres.log_row import ROW_COLUMNS

# Events without a batch were written long ago: batches go, events stay.
WRITTEN_BEFORE: Final = (
    " WHERE NOT EXISTS (SELECT FROM batches WHERE batches.tenant = events.tenant"
    " AND batches.batch_id = events.batch_id AND batches.written_xid >= %s::text::xid8)"
)


def read_held_thumbs(
    connection: Connection, tenant: str, pairs: Collection[tuple[int, str]], *, before_xid: int
) -> list[Row]:
    """The newest thumb of each (person, title id) by transactions below `before_xid`."""
    wanted = sorted(pairs)
    return connection.execute(
        "SELECT held.* FROM unnest(%s::bigint[], %s::text[]) AS pair (person, title_id)"  # noqa: S608  constants
        f" CROSS JOIN LATERAL (SELECT {ROW_COLUMNS} FROM events{WRITTEN_BEFORE}"
        " AND events.tenant = %s AND events.person = pair.person"
        f" AND events.title_id = pair.title_id AND kind = {EventKind.THUMB.value}"
        " ORDER BY occurred_ms DESC, sequence DESC, event_id DESC LIMIT 1) AS held",
        (
            [person for person, _ in wanted],
            [title_id for _, title_id in wanted],
            str(before_xid),
            tenant,
        ),
    ).fetchall()
