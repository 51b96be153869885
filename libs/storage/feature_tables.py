"""The feature tables: what the log's events have made of profiles and titles, kept current."""

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import Event, EventKind
from libs.features.counters import decode_counters
from libs.features.event_columns import EventColumns, without_thumbs
from libs.features.profile_state import (
    EMPTY,
    ProfileFold,
    ProfileState,
    decode_own,
    decode_records,
)
from libs.features.thumbs import thumb_shares
from libs.features.title_counters import TITLE_COUNTER_COUNT
from libs.features.title_record import RECORD_KINDS, TitleFold
from libs.features.title_shares import TitleShares
from libs.features.title_table import LiveTitleCounters, TitleChanges
from libs.storage import event_log
from libs.storage.sqlite import snapshot


class FeatureTables:
    """The writing side; every method belongs in the transaction that appends the events."""

    def __init__(self, connection: sqlite3.Connection, *, most_tenants: int) -> None:
        """Of `most_tenants` the title counters are held; another one's are read when it writes."""
        self._connection = connection
        self._most_tenants = most_tenants
        # The writer is the only one, so what it has in memory is what the table holds.
        self._titles: OrderedDict[str, _LiveTitles] = OrderedDict()

    def apply(self, tenant: str, events: Iterable[Event], columns: EventColumns) -> None:
        """Fold new events in, which are in the log already; `columns` are those of the same."""
        by_id = {event.event_id: event for event in events}
        by_profile: dict[str, list[Event]] = {}
        by_title: dict[tuple[str, str], list[Event]] = {}
        for event in by_id.values():
            by_profile.setdefault(event.profile_id, []).append(event)
            if event.kind in RECORD_KINDS:
                by_title.setdefault((event.profile_id, event.title_id), []).append(event)
        self._apply_profiles(tenant, by_profile)
        self._apply_profile_titles(tenant, by_title)
        self._apply_titles(tenant, columns)
        thumbs = [event for event in by_id.values() if event.kind is EventKind.THUMB]
        if thumbs:
            known = event_log.read_held_thumbs(
                self._connection,
                tenant,
                {(one.profile_id, one.title_id) for one in thumbs},
                but_for=[one.event_id for one in thumbs],
            )
            live = self._live(tenant)
            shares = thumb_shares(thumbs, known)
            self._write_titles(tenant, live, live.counters.add_shares(shares))

    def forget(self) -> None:
        """Drop what is in memory, after a transaction that did not come to be."""
        self._titles.clear()

    def _apply_profiles(self, tenant: str, by_profile: dict[str, list[Event]]) -> None:
        # One statement for all costs a third of one for each.
        stored = {
            profile_id: (counters, newest_ms)
            for profile_id, counters, newest_ms in self._connection.execute(
                "SELECT profile_id, counters, newest_ms FROM profile_counters"
                " WHERE tenant = ? AND profile_id IN (SELECT value FROM json_each(?))",
                (tenant, json.dumps(list(by_profile))),
            ).fetchall()
        }
        rows = []
        for profile_id in sorted(by_profile):
            found = stored.get(profile_id)
            fold = ProfileFold(*found) if found else ProfileFold()
            for event in by_profile[profile_id]:
                fold.apply(event)
            rows.append((tenant, profile_id, fold.encode(), fold.newest_ms))
        self._connection.executemany(
            "INSERT INTO profile_counters (tenant, profile_id, counters, newest_ms)"
            " VALUES (?, ?, ?, ?) ON CONFLICT (tenant, profile_id)"
            " DO UPDATE SET counters = excluded.counters, newest_ms = excluded.newest_ms",
            rows,
        )

    def _apply_profile_titles(
        self, tenant: str, by_title: dict[tuple[str, str], list[Event]]
    ) -> None:
        asked: dict[str, list[str]] = {}
        for profile_id, title_id in by_title:
            asked.setdefault(profile_id, []).append(title_id)
        stored = {
            (profile_id, title_id): (record, intervals)
            for profile_id, title_id, record, intervals in self._connection.execute(
                "SELECT found.profile_id, found.title_id, found.record, found.intervals"
                " FROM json_each(?) AS profile CROSS JOIN json_each(profile.value) AS title"
                " CROSS JOIN profile_titles AS found ON found.tenant = ?"
                " AND found.profile_id = profile.key AND found.title_id = title.value",
                (json.dumps(asked), tenant),
            ).fetchall()
        }
        rows = []
        for profile_id, title_id in sorted(by_title):
            fold = TitleFold(*stored.get((profile_id, title_id), ()))
            for event in by_title[profile_id, title_id]:
                fold.apply(event)
            rows.append(
                (tenant, profile_id, title_id, fold.encode_record(), fold.encode_intervals())
            )
        self._connection.executemany(
            "INSERT INTO profile_titles (tenant, profile_id, title_id, record, intervals)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, profile_id, title_id)"
            " DO UPDATE SET record = excluded.record, intervals = excluded.intervals",
            rows,
        )

    def remove(self, tenant: str, columns: EventColumns) -> None:
        """Take a profile's events out of the counters of titles, but for its thumbs."""
        live = self._live(tenant)
        self._write_titles(tenant, live, live.counters.remove(without_thumbs(columns)))

    def remove_shares(self, tenant: str, shares: TitleShares) -> None:
        """Take what a profile's thumbs or compacted events have added out of those counters."""
        live = self._live(tenant)
        self._write_titles(tenant, live, live.counters.remove_shares(shares))

    def _apply_titles(self, tenant: str, columns: EventColumns) -> None:
        live = self._live(tenant)
        self._write_titles(tenant, live, live.counters.add(without_thumbs(columns)))

    def _write_titles(self, tenant: str, live: "_LiveTitles", changed: NDArray[np.intp]) -> None:
        if not len(changed):
            return
        live.last_change += 1
        keys = live.counters.rows.keys
        rows = [
            (tenant, *keys[row], live.last_change, data)
            for row, data in zip(changed.tolist(), live.counters.encoded(changed), strict=True)
        ]
        self._connection.executemany(
            "INSERT INTO title_counters (tenant, country, title_id, change, counters)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, country, title_id)"
            " DO UPDATE SET change = excluded.change, counters = excluded.counters",
            rows,
        )

    def _live(self, tenant: str) -> "_LiveTitles":
        if tenant not in self._titles:
            self._titles[tenant] = _LiveTitles(self._connection, tenant)
            if len(self._titles) > self._most_tenants:
                self._titles.popitem(last=False)
        self._titles.move_to_end(tenant)
        return self._titles[tenant]


class _LiveTitles:
    """One tenant's title counters as the table has them."""

    def __init__(self, connection: sqlite3.Connection, tenant: str) -> None:
        self.counters = LiveTitleCounters()
        changes = read_title_changes(connection, tenant, 0)
        self.counters.apply(changes)
        self.last_change = changes.last_change


def read_profile_state(
    connection: sqlite3.Connection, tenant: str, profile_id: str
) -> ProfileState:
    """The state that the tables hold, EMPTY for a profile without events."""
    key = (tenant, profile_id)
    with snapshot(connection):
        found = connection.execute(
            "SELECT counters, newest_ms FROM profile_counters WHERE tenant = ? AND profile_id = ?",
            key,
        ).fetchone()
        rows = connection.execute(
            "SELECT title_id, record FROM profile_titles WHERE tenant = ? AND profile_id = ?"
            " ORDER BY title_id",
            key,
        ).fetchall()
    if found is None:
        return EMPTY
    records = decode_records(b"".join([record for _, record in rows]))
    title_ids = tuple([title_id for title_id, _ in rows])
    own, newest_ms = found
    counters, wishes = decode_own(own)
    return ProfileState(title_ids, records, counters, newest_ms, wishes)


def read_title_changes(
    connection: sqlite3.Connection, tenant: str, after_change: int
) -> TitleChanges:
    """The title counters that changed after that change; 0 reads them all."""
    rows = connection.execute(
        "SELECT country, title_id, change, counters FROM title_counters"
        " WHERE tenant = ? AND change > ? ORDER BY change, country, title_id",
        (tenant, after_change),
    ).fetchall()
    parts = [decode_counters(counters) for _, _, _, counters in rows]
    values = np.array([part.values for part in parts]).reshape(-1, TITLE_COUNTER_COUNT)
    return TitleChanges(
        countries=tuple([country for country, _, _, _ in rows]),
        title_ids=tuple([title_id for _, title_id, _, _ in rows]),
        counters=values,
        at_ms=np.array([part.at_ms for part in parts], np.int64),
        last_change=rows[-1][2] if rows else after_change,
    )
