"""Withdrawals: what erased events weigh, until it is taken out of the counters of titles."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, LiteralString

from libs.features.event_columns import EventColumns, from_rows
from libs.storage.postgres.database import Connection
from libs.storage.postgres.erasure_tables import WITHDRAWN_COLUMNS


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An event of an erased profile: what it weighs, who wrote it, and where it was erased."""

    written_xid: int
    erased_xid: int
    row: tuple[Any, ...]  # WITHDRAWN_COLUMNS


def read_withdrawals(
    connection: Connection, condition: LiteralString, value: str
) -> dict[str, list[Withdrawal]]:
    """Those that meet the condition, by tenant."""
    rows = connection.execute(
        "SELECT withdrawn.tenant, coalesce(written_xid::text::bigint, 0),"  # noqa: S608  constants
        f" erased_xid::text::bigint, {WITHDRAWN_COLUMNS} FROM withdrawn LEFT JOIN batches"
        " ON batches.tenant = withdrawn.tenant AND batches.batch_id = withdrawn.batch_id"
        f" WHERE {condition}",
        (value,),
    ).fetchall()
    found: dict[str, list[Withdrawal]] = {}
    for tenant, written_xid, erased_xid, *row in rows:
        found.setdefault(tenant, []).append(Withdrawal(written_xid, erased_xid, tuple(row)))
    return found


def withdrawn_columns(withdrawals: Iterable[Withdrawal]) -> EventColumns:
    """What withdrawn events weigh, in order; of nobody, and without what no counter asks for."""
    rows = []
    for one in withdrawals:
        title_id, country, kind, occurred_ms, engagement, opinion, device, daypart = one.row
        rows.append(
            ("", title_id, country, kind, occurred_ms, 0, engagement, None, 0, opinion, device,
             daypart, -1, None)
        )  # fmt: skip
    return from_rows(sorted(rows, key=itemgetter(4)))
