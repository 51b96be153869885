"""The log in PostgreSQL as one, whatever of it is compacted: as libs.storage.undivided.

What belongs together is read from one snapshot, which keeps nobody from writing or compacting.
"""

import contextlib
from collections.abc import Iterator

from libs.domain.event import Event
from libs.features.profile_state import ProfileBase
from libs.features.title_replay import NO_BASE, TitleBase
from libs.features.title_table import LiveTitleCounters
from libs.features.watched_days import WatchedDay, merge_days, watched_days
from libs.storage.postgres import kept_tables, log_tables, share_tables
from libs.storage.postgres.database import Connection
from libs.storage.postgres.identities import Identities, Identity

_END_MS = 2**62


@contextlib.contextmanager
def snapshot(connection: Connection) -> Iterator[Connection]:
    """Several reads of one state."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


def read_profile(
    connection: Connection, tenant: str, identity: Identity, as_of_ms: int | None = None
) -> tuple[ProfileBase, list[Event]]:
    """What a profile's compacted events have made of it, and the others up to `as_of_ms`.

    Raises HistoryCompacted for a time before what is compacted.
    """
    until_ms = _END_MS if as_of_ms is None else as_of_ms + 1
    with snapshot(connection):
        kept_tables.check_told(connection, tenant, as_of_ms)
        return (
            kept_tables.read_base(connection, tenant, identity),
            log_tables.read_profile_events(connection, tenant, identity, until_ms=until_ms),
        )


def read_days(connection: Connection, tenant: str, identity: Identity) -> list[WatchedDay]:
    """All days of a profile, of compacted events and of others, by (day, title id)."""
    with snapshot(connection):
        days = kept_tables.read_days(connection, tenant, identity)
        events = log_tables.read_profile_events(connection, tenant, identity, until_ms=_END_MS)
    return merge_days([*days, *watched_days(events)])


def read_counters(
    connection: Connection, identities: Identities, tenant: str, until_ms: int = _END_MS
) -> LiveTitleCounters:
    """The counters of titles of everything that occurred before `until_ms`."""
    with snapshot(connection):
        return _counters(connection, identities, tenant, until_ms)


def read_title_base(connection: Connection, identities: Identities, tenant: str) -> TitleBase:
    """The counters of titles at the moment up to which events may be compacted."""
    with snapshot(connection):
        at_ms = kept_tables.compacted_until_ms(connection, tenant)
        if at_ms < 0:
            return NO_BASE
        # With those that came late, and those that are not compacted yet.
        live = _counters(connection, identities, tenant, at_ms + 1)
    return TitleBase(at_ms, tuple(live.rows.keys), live.values_at(at_ms), live.newest_ms())


def _counters(
    connection: Connection, identities: Identities, tenant: str, until_ms: int
) -> LiveTitleCounters:
    live = LiveTitleCounters()
    for shares in share_tables.read(connection, identities, tenant):
        live.add_shares(shares)
    columns = log_tables.read_columns(
        lambda: contextlib.nullcontext(connection),
        identities,
        tenant,
        from_ms=0,
        until_ms=until_ms,
    )
    live.add(columns)
    return live
