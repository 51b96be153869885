"""Batches: which transaction wrote what of the log, and up to where all of them are done."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from libs.storage.postgres.database import Connection

# Nobody follows so far behind; what is older is only in the way.
KEPT: Final = "7 days"
HORIZON: Final = "pg_snapshot_xmin(pg_current_snapshot())"
# Events without a batch were written long ago: batches go, events stay.
WRITTEN_BEFORE: Final = (
    " WHERE NOT EXISTS (SELECT FROM batches WHERE batches.tenant = events.tenant"
    " AND batches.batch_id = events.batch_id AND batches.written_xid >= %s::text::xid8)"
)

# Of any tenant: something, tenant, batch_id, written_xid, event_count and more.
Batch = tuple[Any, ...]


def horizon(connection: Connection) -> int:
    """The lowest number that is still writing."""
    [(xid,)] = connection.execute(f"SELECT {HORIZON}::text::bigint").fetchall()
    return int(xid)


def next_batches(
    connection: Connection, tenant: str, from_xid: int, most_events: int
) -> dict[int, int]:
    """The next whole transactions of a tenant, about `most_events`: their numbers by batch."""
    rows = connection.execute(
        "SELECT 0, tenant, batch_id, written_xid::text::bigint, event_count FROM batches"  # noqa: S608  constants
        f" WHERE tenant = %s AND written_xid >= %s::text::xid8 AND written_xid < {HORIZON}"
        " AND event_count > 0 ORDER BY written_xid LIMIT %s",
        (tenant, str(from_xid), max(most_events, 2)),
    ).fetchall()
    return {row[2]: row[3] for row in whole_transactions(rows, max(most_events, 2))}


def whole_transactions(rows: Sequence[Batch], most_events: int) -> list[Batch]:
    """The batches of the first transactions, together about `most_events`, one at the least."""
    taken: list[Batch] = []
    event_count = 0
    for _, some in groupby(rows, key=lambda row: row[3]):
        batches = list(some)
        event_count += sum(batch[4] for batch in batches)
        # Of the last that could be read, there may be more than was read.
        is_cut = len(rows) == most_events and batches[-1] is rows[-1]
        if taken and (is_cut or event_count > most_events):
            break
        taken.extend(batches)
    return taken
