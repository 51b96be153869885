"""Withdrawals: what erased events weigh, until it is taken out of the counters of titles."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, LiteralString

from libs.domain.event import Event, EventKind, Thumb, ThumbDirection
from libs.domain.viewing import ViewingContext
from libs.features.event_columns import EventColumns, from_rows
from libs.storage.postgres.database import Connection
from libs.storage.postgres.erasure_tables import WITHDRAWN_COLUMNS

# The thumb of an opinion, and where a row has what makes one.
_DIRECTIONS: Final = {
    1: ThumbDirection.UP,
    -1: ThumbDirection.DOWN,
    0: ThumbDirection.RETRACTED,
}
_TITLE, _COUNTRY, _KIND, _OCCURRED, _ENGAGEMENT, _OPINION = range(6)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An event of an erased profile: what it weighs, who wrote it, and where it was erased."""

    written_xid: int
    erased_xid: int
    person: int
    place: int  # among the events of that person about that title, in their order
    row: tuple[Any, ...]  # WITHDRAWN_COLUMNS


def read_withdrawals(
    connection: Connection, condition: LiteralString, value: str
) -> dict[str, list[Withdrawal]]:
    """Those that meet the condition, by tenant."""
    rows = connection.execute(
        "SELECT withdrawn.tenant, coalesce(written_xid::text::bigint, 0),"  # noqa: S608  constants
        f" erased_xid::text::bigint, person, place, {WITHDRAWN_COLUMNS}"
        " FROM withdrawn LEFT JOIN batches"
        " ON batches.tenant = withdrawn.tenant AND batches.batch_id = withdrawn.batch_id"
        f" WHERE {condition}",
        (value,),
    ).fetchall()
    found: dict[str, list[Withdrawal]] = {}
    for tenant, written_xid, erased_xid, person, place, *row in rows:
        found.setdefault(tenant, []).append(
            Withdrawal(written_xid, erased_xid, person, place, tuple(row))
        )
    return found


def withdrawn_columns(withdrawals: Iterable[Withdrawal]) -> EventColumns:
    """What withdrawn events weigh, in order; of nobody, and without what no counter asks for."""
    rows = []
    for one in withdrawals:
        title_id, country, kind, occurred_ms, engagement, opinion, device, daypart = one.row
        rows.append(
            ("", title_id, country, kind, occurred_ms, 0, engagement, None, 0, opinion, device,
             daypart, -1, None, 0, "")
        )  # fmt: skip
    return from_rows(sorted(rows, key=itemgetter(4)))


def withdrawn_thumbs(withdrawals: Iterable[Withdrawal]) -> list[Event]:
    """The thumbs among withdrawn events, of somebody without a name."""
    return [
        Event(
            event_id="withdrawn",
            profile_id=str(one.person),
            kind=EventKind.THUMB,
            occurred_ms=one.row[_OCCURRED],
            sequence=one.place,
            title_id=one.row[_TITLE],
            context=ViewingContext(country=one.row[_COUNTRY]),
            detail=Thumb(_DIRECTIONS[one.row[_OPINION]]),
        )
        for one in withdrawals
        if one.row[_KIND] == EventKind.THUMB
    ]
