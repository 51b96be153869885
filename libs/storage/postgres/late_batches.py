"""What may be new to a log that other replicas write, for caches of its past."""

from libs.storage.postgres.database import Connection
from libs.storage.postgres.log_feed import HORIZON, KEPT


class LateBatches:
    """Tells, look after look, how far back the events reach that were not visible before."""

    def __init__(self) -> None:
        self._looked: dict[str, tuple[int, str]] = {}

    def look(self, connection: Connection, tenant: str) -> int | None:
        """The oldest occurred_ms of what may be new to this tenant's log; None for nothing."""
        known = self._looked.get(tenant)
        after_xid, at = known or (0, "infinity")
        # Batches are dropped a while after they were written: who looks again later than that
        # must take everything for new.
        [(xid, now, oldest_ms)] = connection.execute(
            f"SELECT {HORIZON}::text::bigint, now()::text,"  # noqa: S608  constants
            f" CASE WHEN %s::timestamptz < now() - interval '{KEPT}' / 2 THEN 0"
            " ELSE (SELECT min(from_ms) FROM batches WHERE tenant = %s AND event_count > 0"
            " AND written_xid >= %s::text::xid8) END",
            (at, tenant, str(after_xid)),
        ).fetchall()
        self._looked[tenant] = (xid, now)
        return None if known is None else oldest_ms
