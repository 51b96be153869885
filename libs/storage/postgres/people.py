"""Everybody in the log, one after the other, with their events and what is kept of others."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, LiteralString, TypeVar

from libs.features.profile_state import NO_BASE, ProfileBase
from libs.features.title_shares import TitleShares
from libs.storage.event_row import Row
from libs.storage.postgres.database import Connection
from libs.storage.postgres.held_thumbs import WRITTEN_BEFORE
from libs.storage.postgres.identities import Identity
from libs.storage.postgres.kept_tables import base_of
from libs.storage.postgres.log_row import ROW_COLUMNS
from libs.storage.postgres.share_tables import SHARE_COLUMNS, of_rows

ValueT = TypeVar("ValueT")

_FETCHED_ROWS: Final = 10_000
_EVENT, _BASE, _TITLE, _SHARE = range(4)
# (tenant, person, which of those, row)
_Part = tuple[str, int, int, Row]
_WHOSE: Final = itemgetter(0, 1)


@dataclass(slots=True)
class PersonRows:
    """The rows of one person; whose they are nobody may know any more."""

    tenant: str
    person: int
    events: list[Row] = field(default_factory=list)  # of ROW_COLUMNS
    _kept: dict[int, list[Row]] = field(default_factory=dict)

    def add(self, which: int, row: Row) -> None:
        """Add a row of a table."""
        if which == _EVENT:
            self.events.append(row)
        else:
            self._kept.setdefault(which, []).append(row)

    def base(self, identity: Identity) -> ProfileBase:
        """What compacted events have made of the profile."""
        if _BASE not in self._kept:
            return NO_BASE
        [(newest_ms, sealed)] = self._kept[_BASE]
        return base_of(newest_ms, sealed, self._kept.get(_TITLE, ()), identity)

    def shares(self) -> TitleShares | None:
        """What compacted events have added to the counters of titles."""
        rows = self._kept.get(_SHARE)
        return None if rows is None else of_rows(rows)


def read_people(connection: Connection, before_xid: int) -> Iterator[PersonRows]:
    """Everybody with any event by transactions below `before_xid`, by (tenant, person).

    Belongs in a snapshot, of which it reads several tables side by side.
    """
    parts = (
        _ordered(
            connection,
            _EVENT,
            f"SELECT events.tenant, person, {ROW_COLUMNS} FROM events{WRITTEN_BEFORE}"  # noqa: S608  constants
            " ORDER BY events.tenant, person",
            (str(before_xid),),
        ),
        _ordered(
            connection,
            _BASE,
            "SELECT tenant, person, newest_ms, sealed FROM profile_bases ORDER BY tenant, person",
        ),
        _ordered(
            connection,
            _TITLE,
            "SELECT tenant, person, title_id, sealed FROM title_bases ORDER BY tenant, person",
        ),
        _ordered(
            connection,
            _SHARE,
            f"SELECT tenant, person, {SHARE_COLUMNS} FROM title_shares"  # noqa: S608  constants
            " ORDER BY tenant, person",
        ),
    )
    for (tenant, person), some in groupby(heapq.merge(*parts, key=_WHOSE), key=_WHOSE):
        found = PersonRows(tenant, person)
        for _, _, which, row in some:
            found.add(which, row)
        yield found


def _ordered(
    connection: Connection, which: int, query: LiteralString, values: tuple[Any, ...] = ()
) -> Iterator[_Part]:
    with connection.cursor(f"people{which}") as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(_FETCHED_ROWS):
            for tenant, person, *row in rows:
                yield tenant, person, which, tuple(row)


def chunks(
    values: Iterator[ValueT], size: Callable[[ValueT], int], most: int
) -> Iterator[list[ValueT]]:
    """Values in lists whose sizes are about `most` together, one value at the least."""
    some: list[ValueT] = []
    held = 0
    for value in values:
        some.append(value)
        held += size(value)
        if held >= most:
            yield some
            some, held = [], 0
    if some:
        yield some
