"""Decisions in PostgreSQL: kept 30 days, and copied onto the impressions of their page."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from libs.domain.decision import Decision
from libs.domain.event import Attribution, Event, EventKind
from libs.storage.decision_table import JSON_COLUMNS, KEPT_MS, as_json, by_title
from libs.storage.postgres.database import Connection
from libs.storage.postgres.identities import Identity

# A decision and an impression of its page that are written at once by two replicas must not
# both miss each other: whoever is second waits for the first to be done. One lock a tenant.
_ATTRIBUTION_LOCK: Final = 7_400


def lock_attribution(connection: Connection, tenant: str, *, is_decision: bool) -> None:
    """Hold the tenant's lock until the transaction ends: alone for decisions, else with others."""
    shared = "" if is_decision else "_shared"
    connection.execute(
        f"SELECT pg_advisory_xact_lock{shared}(%s, hashtext(%s))",
        (_ATTRIBUTION_LOCK, tenant),
    )


def drop_old(connection: Connection, now_ms: int) -> None:
    """Drop what came longer than KEPT_MS ago."""
    connection.execute(
        "DELETE FROM decisions WHERE (tenant, page_id) IN (SELECT tenant, page_id FROM decisions"
        " WHERE recorded_ms < %s FOR UPDATE SKIP LOCKED)",
        (now_ms - KEPT_MS,),
    )


def known_ids(connection: Connection, tenant: str, page_ids: Collection[str]) -> set[str]:
    """Those of `page_ids` that are stored."""
    rows = connection.execute(
        "SELECT page_id FROM decisions WHERE tenant = %s AND page_id = ANY(%s)",
        (tenant, list(page_ids)),
    ).fetchall()
    return {page_id for (page_id,) in rows}


def read_profile(connection: Connection, tenant: str, identity: Identity) -> list[dict[str, Any]]:
    """The decisions kept of a profile, oldest first, as the values of a JSON object each."""
    rows = connection.execute(
        f"SELECT {JSON_COLUMNS} FROM decisions"  # noqa: S608  constants
        " WHERE tenant = %s AND person = %s ORDER BY decided_ms, page_id",
        (tenant, identity.person),
    ).fetchall()
    return [as_json(row) for row in rows]


def insert(
    connection: Connection,
    tenant: str,
    decisions: Sequence[Decision],
    now_ms: int,
    identities: Mapping[str, Identity],
) -> set[str]:
    """Store those, of distinct pages, whose page_id nobody has: the page_ids that are now stored.

    Waits for another transaction that stores one of them and is not done.
    """
    first = {decision.page_id: decision for decision in decisions}
    # In one order, so that two batches of the same pages do not wait for each other.
    rows = [
        _row(first[page_id], identities[first[page_id].profile_id]) for page_id in sorted(first)
    ]
    if not rows:
        return set()
    found = connection.execute(
        "INSERT INTO decisions (tenant, recorded_ms, page_id, person, decided_ms, policy,"
        " model_version, index_version, purpose, surface, slate, degraded, removed, arm)"
        " SELECT %s, %s, * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[],"
        " %s::text[], %s::text[], %s::smallint[], %s::smallint[], %s::text[], %s::text[],"
        " %s::text[], %s::text[]) ON CONFLICT DO NOTHING RETURNING page_id",
        # Age counts from arrival, so that a backfill of old pages finds its impressions.
        (tenant, now_ms, *map(list, zip(*rows, strict=True))),
    ).fetchall()
    return {page_id for (page_id,) in found}


def _row(decision: Decision, identity: Identity) -> tuple[object, ...]:
    return (
        decision.page_id,
        identity.person,
        decision.decided_ms,
        decision.policy,
        decision.model_version,
        decision.index_version,
        decision.purpose.value,
        decision.surface.value,
        json.dumps([decision.title_ids, decision.propensities]),
        json.dumps(decision.degraded),
        json.dumps([decision.removed_title_ids, decision.removed_reasons]),
        decision.arm,
    )


def attribute_earlier_impressions(
    connection: Connection,
    tenant: str,
    decisions: Sequence[Decision],
    identities: Mapping[str, Identity],
) -> None:
    """Copy the decisions onto the impressions of their pages that came before them."""
    pages = {decision.page_id: decision for decision in decisions}
    waiting = connection.execute(
        "SELECT page_id, person, title_id FROM events WHERE tenant = %s"
        " AND page_id = ANY(%s) AND kind = 1 AND propensity IS NULL",
        (tenant, list(pages)),
    ).fetchall()
    rows = []
    for page_id, person, title_id in sorted(set(waiting)):
        decision = pages[page_id]
        said = by_title(decision.title_ids, decision.propensities)
        if person == identities[decision.profile_id].person and title_id in said:
            rows.append(
                (page_id, title_id, person, decision.policy, said[title_id],
                 decision.model_version, decision.index_version, decision.arm)
            )  # fmt: skip
    if rows:
        connection.execute(
            "UPDATE events SET policy = said.policy, propensity = said.propensity,"
            " model_version = said.model_version, index_version = said.index_version,"
            " arm = said.arm FROM unnest(%s::text[], %s::text[], %s::bigint[],"
            " %s::text[], %s::float8[], %s::text[], %s::text[], %s::text[])"
            " AS said (page_id, title_id, person, policy, propensity, model_version,"
            " index_version, arm)"
            " WHERE events.tenant = %s AND events.page_id = ANY(%s) AND events.kind = 1"
            " AND events.propensity IS NULL AND events.page_id = said.page_id"
            " AND events.title_id = said.title_id AND events.person = said.person",
            (*map(list, zip(*rows, strict=True)), tenant, list(pages)),
        )


def attributions(
    connection: Connection,
    tenant: str,
    events: Iterable[Event],
    identities: Mapping[str, Identity],
) -> dict[str, Attribution]:
    """What stored decisions say of the impressions among `events`, by event_id."""
    pages: dict[str, list[Event]] = {}
    for event in events:
        if is_attributable(event) and event.placement is not None:
            pages.setdefault(event.placement.page_id, []).append(event)
    rows = connection.execute(
        "SELECT page_id, person, policy, model_version, index_version, arm, slate"
        " FROM decisions"
        " WHERE tenant = %s AND page_id = ANY(%s)",
        (tenant, list(pages)),
    ).fetchall()
    found: dict[str, Attribution] = {}
    for page_id, person, policy, model_version, index_version, arm, slate in rows:
        said = by_title(*json.loads(slate))
        for event in pages[page_id]:
            # A page belongs to whom it was made for; somebody else's impression says nothing.
            if identities[event.profile_id].person == person and event.title_id in said:
                found[event.event_id] = Attribution(
                    policy, said[event.title_id], model_version, index_version, arm
                )
    return found


def is_attributable(event: Event) -> bool:
    """Whether a decision may have something to say of the event."""
    return event.kind is EventKind.IMPRESSION and event.placement is not None
