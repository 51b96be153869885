"""The outbox: events that recap has to record, kept with what caused them until they are taken.

An event is written in the transaction of its cause and under an id that follows from it, so a
process that dies in between loses nothing, and what is sent twice is recorded once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from libs.domain.event import Event, EventKind, Prompt, QuizAnswer
from libs.storage.context_values import context_of, context_values
from libs.storage.quiz_answer_values import quiz_answer_of, quiz_answer_values
from libs.storage.recap.metadata import METADATA

_OUTBOX: Final = sa.Table(
    "event_outbox",
    METADATA,
    sa.Column(
        "place",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("profile_id", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Index("event_outbox_profile", "tenant", "profile_id"),
    sa.Index("event_outbox_tenant", "tenant", "place"),
)


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event that nobody has confirmed yet."""

    place: int
    event: Event


def add_events(connection: sa.Connection, tenant: str, events: Sequence[Event]) -> None:
    """Let events wait, in the transaction of what caused them."""
    if not events:
        return
    rows = [
        {
            "tenant": tenant,
            "profile_id": event.profile_id,
            "event_id": event.event_id,
            "event": _encode(event),
        }
        for event in events
    ]
    connection.execute(sa.insert(_OUTBOX), rows)


def waiting_tenants(connection: sa.Connection) -> list[str]:
    """Whose events wait, the oldest event first."""
    oldest = sa.func.min(_OUTBOX.c.place)
    tenants = sa.select(_OUTBOX.c.tenant).group_by(_OUTBOX.c.tenant).order_by(oldest)
    return list(connection.execute(tenants).scalars())


def oldest_events(connection: sa.Connection, tenant: str, most: int) -> list[WaitingEvent]:
    """A tenant's oldest that wait, in the order of their transactions."""
    rows = connection.execute(
        sa.select(_OUTBOX.c.place, _OUTBOX.c.event)
        .where(_OUTBOX.c.tenant == tenant)
        .order_by(_OUTBOX.c.place)
        .limit(most)
    ).all()
    return [WaitingEvent(place, _decode(text)) for place, text in rows]


def remove_events(connection: sa.Connection, taken: Sequence[WaitingEvent]) -> None:
    """Forget events that were taken or refused for good.

    SQLite gives the place of a row that an erasure has deleted to another one: the place alone
    does not tell which event was sent.
    """
    sent = [(one.place, one.event.event_id) for one in taken]
    key = sa.tuple_(_OUTBOX.c.place, _OUTBOX.c.event_id)
    # The places once more by themselves: SQLite uses no index for pairs.
    at_place = _OUTBOX.c.place.in_([one.place for one in taken])
    connection.execute(sa.delete(_OUTBOX).where(at_place, key.in_(sent)))


def _encode(event: Event) -> str:
    value = {
        "event_id": event.event_id,
        "profile_id": event.profile_id,
        "kind": event.kind.value,
        "occurred_ms": event.occurred_ms,
        "sequence": event.sequence,
        "session_id": event.session_id,
        "title_id": event.title_id,
        "context": context_values(event.context),
    }
    match event.detail:
        case Prompt(prompt_id=prompt_id):
            value["prompt"] = prompt_id
        case QuizAnswer() as answer:
            value["quiz_answer"] = quiz_answer_values(answer)
        case _:
            raise TypeError(f"recap records no {event.kind.name}")
    return json.dumps(value, ensure_ascii=False)


def _decode(text: str) -> Event:
    value = json.loads(text)
    detail = Prompt(value["prompt"]) if "prompt" in value else quiz_answer_of(value["quiz_answer"])
    return Event(
        event_id=value["event_id"],
        profile_id=value["profile_id"],
        kind=EventKind(value["kind"]),
        occurred_ms=value["occurred_ms"],
        sequence=value["sequence"],
        session_id=value["session_id"],
        title_id=value["title_id"],
        context=context_of(value["context"]),
        detail=detail,
    )
