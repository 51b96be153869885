"""Decisions: kept 30 days after they came, and copied onto the impressions of their page."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from libs.domain.decision import Decision, Part, Purpose
from libs.domain.event import DAY_MS, Attribution, Event, EventKind
from libs.domain.viewing import Surface

KEPT_MS: Final = 30 * DAY_MS

# What of a decision its profile is told.
JSON_COLUMNS: Final = (
    "page_id, decided_ms, purpose, surface, policy, model_version, index_version, arm, degraded,"
    " slate, removed"
)
_JSON_NAMES: Final = tuple(name.strip() for name in JSON_COLUMNS.split(","))


def drop_old(connection: sqlite3.Connection, now_ms: int) -> None:
    """Drop what came longer than KEPT_MS ago."""
    # Age counts from arrival, so that a backfill of old pages finds its impressions.
    connection.execute("DELETE FROM decisions WHERE recorded_ms < ?", (now_ms - KEPT_MS,))


def known_ids(connection: sqlite3.Connection, tenant: str, page_ids: Collection[str]) -> set[str]:
    """Those of `page_ids` that are stored."""
    rows = connection.execute(
        "SELECT page_id FROM decisions"
        " WHERE tenant = ? AND page_id IN (SELECT value FROM json_each(?))",
        (tenant, json.dumps(list(page_ids))),
    ).fetchall()
    return {page_id for (page_id,) in rows}


def read_profile(
    connection: sqlite3.Connection, tenant: str, profile_id: str
) -> list[dict[str, Any]]:
    """The decisions kept of a profile, oldest first, as the values of a JSON object each."""
    rows = connection.execute(
        f"SELECT {JSON_COLUMNS} FROM decisions"  # noqa: S608  constants
        " WHERE tenant = ? AND profile_id = ? ORDER BY decided_ms, page_id",
        (tenant, profile_id),
    ).fetchall()
    return [as_json(row) for row in rows]


def as_json(row: tuple[Any, ...]) -> dict[str, Any]:
    """The values of a row of JSON_COLUMNS as one JSON object."""
    named = dict(zip(_JSON_NAMES, row, strict=True))
    title_ids, propensities = json.loads(named.pop("slate"))
    removed_ids, reasons = json.loads(named.pop("removed"))
    return {
        **named,
        "purpose": Purpose(named["purpose"]).name,
        "surface": Surface(named["surface"]).name,
        "degraded": [Part(number).name for number in json.loads(named["degraded"])],
        "title_ids": title_ids,
        "propensities": propensities,
        "removed_title_ids": removed_ids,
        "removed_reasons": reasons,
    }


def record(
    connection: sqlite3.Connection, tenant: str, decisions: Sequence[Decision], now_ms: int
) -> None:
    """Store decisions whose page_ids are new."""
    connection.executemany(
        "INSERT INTO decisions (tenant, page_id, profile_id, decided_ms, recorded_ms, policy,"
        " model_version, index_version, purpose, surface, slate, degraded, removed, arm)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                tenant,
                decision.page_id,
                decision.profile_id,
                decision.decided_ms,
                now_ms,
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
            for decision in decisions
        ],
    )
    for decision in decisions:
        _attribute_earlier_impressions(connection, tenant, decision)


def _attribute_earlier_impressions(
    connection: sqlite3.Connection, tenant: str, decision: Decision
) -> None:
    waiting = connection.execute(
        "SELECT log_seq, profile_id, title_id FROM events WHERE tenant = ? AND page_id = ?"
        " AND kind = 1 AND propensity IS NULL",
        (tenant, decision.page_id),
    ).fetchall()
    said = by_title(decision.title_ids, decision.propensities)
    connection.executemany(
        "UPDATE events SET policy = ?, propensity = ?, model_version = ?, index_version = ?,"
        " arm = ? WHERE log_seq = ?",
        [
            (
                decision.policy,
                said[title_id],
                decision.model_version,
                decision.index_version,
                decision.arm,
                log_seq,
            )
            for log_seq, profile_id, title_id in waiting
            if profile_id == decision.profile_id and title_id in said
        ],
    )


def attributions(
    connection: sqlite3.Connection, tenant: str, events: Iterable[Event]
) -> dict[str, Attribution]:
    """What stored decisions say of the impressions among `events`, by event_id."""
    pages: dict[str, list[Event]] = {}
    for event in events:
        if event.kind is EventKind.IMPRESSION and event.placement is not None:
            pages.setdefault(event.placement.page_id, []).append(event)
    found: dict[str, Attribution] = {}
    for page_id, impressions in pages.items():
        row = connection.execute(
            "SELECT profile_id, policy, model_version, index_version, arm, slate FROM decisions"
            " WHERE tenant = ? AND page_id = ?",
            (tenant, page_id),
        ).fetchone()
        if row is None:
            continue
        profile_id, policy, model_version, index_version, arm, slate = row
        said = by_title(*json.loads(slate))
        for event in impressions:
            # A page belongs to whom it was made for; somebody else's impression says nothing of it.
            if event.profile_id == profile_id and event.title_id in said:
                found[event.event_id] = Attribution(
                    policy, said[event.title_id], model_version, index_version, arm
                )
    return found


def by_title(title_ids: Iterable[str], propensities: Iterable[float]) -> dict[str, float]:
    """The propensity of each title of a slate."""
    return dict(zip(title_ids, propensities, strict=True))
