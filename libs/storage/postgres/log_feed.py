"""The log in the order in which it is followed: by the transactions that wrote it.

A transaction's number is given when it begins to write, and it may end after one with a higher
number. So whoever follows reads up to the lowest number that is still writing, and skips nothing.
"""

from libs.storage.postgres.log_tables import Connection


class LateBatches:
    """Tells, look after look, how far back the events reach that were not visible before."""

    def __init__(self) -> None:
        self._looked_until: dict[str, int] = {}

    def look(self, connection: Connection, tenant: str) -> int | None:
        """The oldest occurred_ms of what may be new to this tenant's log; None for nothing."""
        after = self._looked_until.get(tenant)
        [(xmin, oldest_ms)] = connection.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, (SELECT min(from_ms)"
            " FROM batches WHERE tenant = %s AND written_xid >= %s::text::xid8"
            " AND event_count > 0)",
            (tenant, str(after or 0)),
        ).fetchall()
        self._looked_until[tenant] = xmin
        return None if after is None else oldest_ms
