"""Erasures in PostgreSQL: tombstones, and what is taken out of the log with them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Final, NamedTuple

from libs.domain.erasure import Erasure, ServiceErasure
from libs.features.title_record import RECORD_KINDS
from libs.storage.postgres.database import Connection
from libs.storage.postgres.kept_tables import BASE_TABLES

# A transaction that writes and an erasure must not both miss each other: an erasure waits for all
# who write for the tenant, and they for it.
_ERASURE_LOCK: Final = 7_401

# What decides over counters of titles (libs.features.title_counters).
WITHDRAWN_COLUMNS: Final = (
    "title_id, country, kind, occurred_ms, engagement, opinion, device, daypart"
)


class Removed(NamedTuple):
    """What was in the log of a profile, compacted or not.

    `erased_xid` comes after all that had written it.
    """

    event_count: int
    title_ids: frozenset[str]
    oldest_ms: int | None
    decision_count: int
    had_profile: bool
    erased_xid: str


def lock(connection: Connection, tenant: str, *, is_erasure: bool) -> None:
    """Hold the tenant's lock until the transaction ends: alone for erasures, else with others."""
    shared = "" if is_erasure else "_shared"
    connection.execute(
        f"SELECT pg_advisory_xact_lock{shared}(%s, hashtext(%s))", (_ERASURE_LOCK, tenant)
    )


def erased(connection: Connection, tenant: str, pseudonyms: Collection[str]) -> set[str]:
    """Those of `pseudonyms` that have a tombstone."""
    rows = connection.execute(
        "SELECT pseudonym FROM erasures WHERE tenant = %s AND pseudonym = ANY(%s)",
        (tenant, list(pseudonyms)),
    ).fetchall()
    return {pseudonym for (pseudonym,) in rows}


def has_any(connection: Connection, tenant: str) -> bool:
    """Whether anybody was erased."""
    query = "SELECT 1 FROM erasures WHERE tenant = %s LIMIT 1"
    return connection.execute(query, (tenant,)).fetchone() is not None


def read(connection: Connection, tenant: str, pseudonym: str) -> Erasure | None:
    """The erasure of a profile, if it was erased; nobody else changes it in the meantime."""
    row = connection.execute(
        "SELECT receipt FROM erasures WHERE tenant = %s AND pseudonym = %s FOR UPDATE",
        (tenant, pseudonym),
    ).fetchone()
    if row is None:
        return None
    values = json.loads(row[0])
    services = tuple(ServiceErasure(**one) for one in values.pop("services"))
    return Erasure(**values, services=services)


def erased_xid(connection: Connection, tenant: str, pseudonym: str) -> int:
    """The place of an erasure in the log as it is followed; 0 for none."""
    row = connection.execute(
        "SELECT erased_xid::text::bigint FROM erasures WHERE tenant = %s AND pseudonym = %s",
        (tenant, pseudonym),
    ).fetchone()
    return 0 if row is None else int(row[0])


def insert(
    connection: Connection, tenant: str, pseudonym: str, erased_xid: str, erasure: Erasure
) -> None:
    """Leave a tombstone."""
    connection.execute(
        "INSERT INTO erasures (tenant, pseudonym, erased_xid, is_complete, receipt)"
        " VALUES (%s, %s, %s::xid8, %s, %s)",
        (tenant, pseudonym, erased_xid, erasure.is_complete, json.dumps(asdict(erasure))),
    )


def update(connection: Connection, tenant: str, pseudonym: str, erasure: Erasure) -> None:
    """Replace the receipt."""
    connection.execute(
        "UPDATE erasures SET is_complete = %s, receipt = %s WHERE tenant = %s AND pseudonym = %s",
        (erasure.is_complete, json.dumps(asdict(erasure)), tenant, pseudonym),
    )


def pending(connection: Connection) -> list[tuple[str, str]]:
    """(tenant, pseudonym) of every erasure that some service has not confirmed."""
    return connection.execute(
        "SELECT tenant, pseudonym FROM erasures WHERE NOT is_complete ORDER BY tenant, pseudonym"
    ).fetchall()


def unforgotten(connection: Connection) -> list[tuple[str, str]]:
    """(tenant, pseudonym) of every complete erasure whose identity may be there still."""
    return connection.execute(
        "SELECT tenant, pseudonym FROM erasures WHERE is_complete AND NOT is_forgotten"
    ).fetchall()


def note_forgotten(connection: Connection, tenant: str, pseudonym: str) -> None:
    """Note that the identity is destroyed."""
    connection.execute(
        "UPDATE erasures SET is_forgotten = true WHERE tenant = %s AND pseudonym = %s",
        (tenant, pseudonym),
    )


def remove(connection: Connection, tenant: str, person: int) -> Removed:
    """Delete all rows of a profile, and keep what they weigh until counters are corrected.

    The batch that notes it comes after all that had written them, for whoever follows the log.
    """
    mine = (tenant, person)
    [(batch_id,)] = connection.execute("SELECT nextval('batch_numbers')").fetchall()
    [(count, oldest_ms, title_ids, xid)] = connection.execute(
        "WITH gone AS (DELETE FROM events WHERE tenant = %s AND person = %s"  # noqa: S608  constants
        f" RETURNING tenant, batch_id, event_id, sequence, {WITHDRAWN_COLUMNS}),"
        " place AS (SELECT greatest(pg_current_xact_id(), (SELECT max(written_xid) FROM batches"
        " WHERE (tenant, batch_id) IN (SELECT DISTINCT tenant, batch_id FROM gone))) AS xid),"
        " ids AS (DELETE FROM event_ids USING gone"
        " WHERE event_ids.tenant = gone.tenant AND event_ids.event_id = gone.event_id),"
        " kept AS (INSERT INTO withdrawn (tenant, erased_xid, batch_id, person, place,"
        f" {WITHDRAWN_COLUMNS}) SELECT tenant, (SELECT xid FROM place), batch_id, %s,"
        " row_number() OVER (PARTITION BY title_id ORDER BY occurred_ms, sequence, event_id),"
        f" {WITHDRAWN_COLUMNS} FROM gone WHERE title_id <> '')"
        " SELECT count(*), min(occurred_ms), coalesce(array_agg(DISTINCT title_id)"
        " FILTER (WHERE kind = ANY(%s)), '{}'), (SELECT xid FROM place)::text FROM gone",
        (*mine, person, sorted(kind.value for kind in RECORD_KINDS)),
    ).fetchall()
    compacted = connection.execute(
        "SELECT event_count, oldest_ms FROM profile_bases WHERE tenant = %s AND person = %s", mine
    ).fetchone()
    if compacted is not None:
        count += compacted[0]
        oldest_ms = compacted[1] if oldest_ms is None else min(oldest_ms, compacted[1])
        title_ids = {*title_ids, *_remove_kept(connection, mine, xid)}
    counts: Sequence[int] = [
        connection.execute(
            f"DELETE FROM {table} WHERE tenant = %s AND person = %s",  # noqa: S608  constants
            mine,
        ).rowcount
        for table in ("decisions", "profiles")
    ]
    connection.execute(
        "INSERT INTO batches (tenant, batch_id, written_xid, written_at, event_count,"
        " profile_count, from_ms) VALUES (%s, %s, %s::xid8, clock_timestamp(), %s, 0, %s)",
        (tenant, batch_id, xid, count, oldest_ms or 0),
    )
    return Removed(count, frozenset(title_ids), oldest_ms, counts[0], counts[1] > 0, xid)


def _remove_kept(connection: Connection, mine: tuple[str, int], xid: str) -> list[str]:
    """Delete what is kept of compacted events; the titles that it was of."""
    # Nobody's from then on: whoever is behind the erasure counts them, who is past it does not.
    connection.execute(
        "WITH gone AS (DELETE FROM title_shares WHERE tenant = %s AND person = %s RETURNING *)"
        " INSERT INTO withdrawn_shares (tenant, erased_xid, title_id, country, at_ms, cells)"
        " SELECT tenant, %s::xid8, title_id, country, at_ms, cells FROM gone",
        (*mine, xid),
    )
    [(title_ids,)] = connection.execute(
        "SELECT coalesce(array_agg(title_id), '{}') FROM title_bases"
        " WHERE tenant = %s AND person = %s",
        mine,
    ).fetchall()
    for table in BASE_TABLES:
        connection.execute(
            f"DELETE FROM {table} WHERE tenant = %s AND person = %s",  # noqa: S608  constants
            mine,
        )
    return list(title_ids)
