"""Shares in PostgreSQL: what compacted events have added to the counters of titles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import numpy as np

from libs.features.title_shares import TitleShares, decode_cells
from libs.storage.postgres.database import Connection
from libs.storage.postgres.identities import Identities

# (country, title id, at_ms, cells)
Row = tuple[Any, ...]
SHARE_COLUMNS: Final = "country, title_id, at_ms, cells"
# Read at once; each takes as many numbers as there are counters.
_ROWS: Final = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class WithdrawnShares:
    """Shares of who was erased at one place of the log; what they are of was followed before."""

    erased_xid: int
    shares: TitleShares


def of_rows(rows: Sequence[Row]) -> TitleShares:
    """The shares of rows of SHARE_COLUMNS."""
    return TitleShares(
        countries=tuple([row[0] for row in rows]),
        title_ids=tuple([row[1] for row in rows]),
        values=decode_cells(row[3] for row in rows),
        at_ms=np.array([row[2] for row in rows], np.int64),
    )


def read(connection: Connection, identities: Identities, tenant: str) -> Iterator[TitleShares]:
    """Those of all profiles, a part at a time; belongs in a snapshot.

    Without those of who is nobody any more, as far as a backup has brought them back.
    """
    last = (-1, "", "")
    while True:
        rows = connection.execute(
            f"SELECT {SHARE_COLUMNS}, person FROM title_shares"  # noqa: S608  constants
            " WHERE tenant = %s AND (person, title_id, country) > (%s, %s, %s)"
            " ORDER BY person, title_id, country LIMIT %s",
            (tenant, *last, _ROWS),
        ).fetchall()
        known = identities.of_persons(tenant, {row[-1] for row in rows})
        yield of_rows([row for row in rows if row[-1] in known])
        if len(rows) < _ROWS:
            return
        last = (rows[-1][-1], rows[-1][1], rows[-1][0])


def read_withdrawn(
    connection: Connection, condition: LiteralString, value: str
) -> dict[str, list[WithdrawnShares]]:
    """Those that meet the condition, by tenant."""
    rows = connection.execute(
        f"SELECT tenant, erased_xid::text::bigint, {SHARE_COLUMNS} FROM withdrawn_shares"  # noqa: S608  constants
        f" WHERE {condition}",
        (value,),
    ).fetchall()
    found: dict[str, dict[int, list[Row]]] = {}
    for tenant, erased_xid, *row in rows:
        found.setdefault(tenant, {}).setdefault(erased_xid, []).append(tuple(row))
    return {
        tenant: [WithdrawnShares(xid, of_rows(some)) for xid, some in by_xid.items()]
        for tenant, by_xid in found.items()
    }
