"""The log as one, whatever of it is compacted: bases and the events that are left, read together.

A step of compaction between two reads would let events be missed or counted twice, so what
belongs together is read from one snapshot, or read again.
"""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from libs.domain.event import Event
from libs.faults import HistoryCompacted
from libs.features.profile_state import NO_BASE as NO_PROFILE_BASE
from libs.features.profile_state import ProfileBase
from libs.features.title_replay import NO_BASE, TitleBase
from libs.features.title_table import LiveTitleCounters
from libs.features.watched_days import WatchedDay, merge_days, watched_days
from libs.storage import compacted, day_table, erasure_table, event_log
from libs.storage.sqlite import snapshot

_END_MS = 2**62

ResultT = TypeVar("ResultT")


def read_profile(
    connection: sqlite3.Connection, tenant: str, profile_id: str, as_of_ms: int | None = None
) -> tuple[ProfileBase, list[Event]]:
    """What a profile's compacted events have made of it, and the others up to `as_of_ms`.

    Raises HistoryCompacted for a time before what is compacted.
    """
    with snapshot(connection):
        compacted.check_told(connection, tenant, as_of_ms)
        if erasure_table.is_pending(connection, tenant, profile_id):
            return NO_PROFILE_BASE, []
        base = compacted.read_base(connection, tenant, profile_id)
        until_ms = _END_MS if as_of_ms is None else as_of_ms + 1
        return base, event_log.read_profile_events(
            connection, tenant, profile_id, until_ms=until_ms
        )


def read_days(connection: sqlite3.Connection, tenant: str, profile_id: str) -> list[WatchedDay]:
    """All days of a profile, of compacted events and of others, by (day, title id)."""
    with snapshot(connection):
        if erasure_table.is_pending(connection, tenant, profile_id):
            return []
        days = day_table.read(connection, tenant, profile_id)
        events = event_log.read_profile_events(connection, tenant, profile_id, until_ms=_END_MS)
    return merge_days([*days, *watched_days(events)])


def read_title_base(connection: sqlite3.Connection, tenant: str) -> TitleBase:
    """The counters of titles at the moment up to which events may be compacted."""
    with snapshot(connection):
        at_ms = compacted.compacted_until_ms(connection, tenant)
        if at_ms < 0:
            return NO_BASE
        live = LiveTitleCounters()
        for shares in compacted.read_shares(connection, tenant, told_only=True):
            live.add_shares(shares)
        # Those that came late, and those that are not compacted yet.
        live.add(event_log.read_columns(connection, tenant, from_ms=0, until_ms=at_ms + 1))
    return TitleBase(at_ms, tuple(live.rows.keys), live.values_at(at_ms), live.newest_ms())


def read_whole(
    compacted_until_ms: Callable[[], int], as_of_ms: int, read: Callable[[int], ResultT]
) -> ResultT:
    """What `read` makes of base and events up to a time, given up to when the first reaches.

    `compacted_until_ms` is asked before and after. Raises HistoryCompacted for a time before what
    is compacted.
    """
    while True:
        until_ms = compacted_until_ms()
        if as_of_ms < until_ms:
            raise HistoryCompacted(as_of_ms, until_ms)
        result = read(until_ms)
        # Events of after it stay where they are until it moves, and it moves once a day.
        if compacted_until_ms() == until_ms:
            return result
