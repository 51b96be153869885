"""The slots of prompts: a row a profile that the caps rest on, and a row an offer."""

import dataclasses
from typing import Final

import sqlalchemy as sa

from libs.domain.prompt import PromptArm, PromptOffer, PromptState
from libs.storage.recap.insertion import insert_absent
from libs.storage.recap.metadata import METADATA

_STATE: Final = sa.Table(
    "prompt_state",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("profile_id", sa.Text, primary_key=True),
    sa.Column("taken_ms", sa.BigInteger, nullable=False),
    sa.Column("dismissal_count", sa.Integer, nullable=False),
    sa.Column("silenced_until_ms", sa.BigInteger, nullable=False),
)

_OFFER: Final = sa.Table(
    "prompt_offer",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("profile_id", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Text, primary_key=True),
    # "offered" or "held_out": what the hold-out is analysed by.
    sa.Column("arm", sa.Text, nullable=False),
    sa.Column("taken_ms", sa.BigInteger, nullable=False),
    sa.Column("dismissed_ms", sa.BigInteger, nullable=False),
    sa.Column("silenced_until_ms", sa.BigInteger, nullable=False),
)


def hold_state(connection: sa.Connection, tenant: str, profile_id: str) -> PromptState:
    """A profile's state, nobody else's to change until the transaction ends.

    In PostgreSQL other replicas wait for the row; in SQLite one transaction writes at a time.
    """
    values = {"tenant": tenant, "profile_id": profile_id, **dataclasses.asdict(PromptState())}
    insert_absent(connection, _STATE, values)
    row = connection.execute(
        sa.select(_STATE.c.taken_ms, _STATE.c.dismissal_count, _STATE.c.silenced_until_ms)
        .where(_STATE.c.tenant == tenant, _STATE.c.profile_id == profile_id)
        .with_for_update()
    ).one()
    return PromptState(*row)


def write_state(
    connection: sa.Connection, tenant: str, profile_id: str, state: PromptState
) -> None:
    """Replace what `hold_state` has read."""
    connection.execute(
        sa.update(_STATE)
        .where(_STATE.c.tenant == tenant, _STATE.c.profile_id == profile_id)
        .values(**dataclasses.asdict(state))
    )


def read_offer(
    connection: sa.Connection, tenant: str, profile_id: str, offer_id: str
) -> PromptOffer | None:
    """A slot that the profile has taken under that id."""
    row = connection.execute(
        sa.select(
            _OFFER.c.arm, _OFFER.c.taken_ms, _OFFER.c.dismissed_ms, _OFFER.c.silenced_until_ms
        ).where(
            _OFFER.c.tenant == tenant,
            _OFFER.c.profile_id == profile_id,
            _OFFER.c.offer_id == offer_id,
        )
    ).first()
    return None if row is None else PromptOffer(offer_id, PromptArm(row[0]), *row[1:])


def write_offer(
    connection: sa.Connection, tenant: str, profile_id: str, offer: PromptOffer
) -> None:
    """Note a slot that was taken; its id must be new to the profile."""
    values = {**dataclasses.asdict(offer), "arm": offer.arm.value}
    connection.execute(sa.insert(_OFFER).values(tenant=tenant, profile_id=profile_id, **values))


def note_dismissal(
    connection: sa.Connection, tenant: str, profile_id: str, offer: PromptOffer
) -> None:
    """Note when an offer was dismissed and what silence that began."""
    connection.execute(
        sa.update(_OFFER)
        .where(
            _OFFER.c.tenant == tenant,
            _OFFER.c.profile_id == profile_id,
            _OFFER.c.offer_id == offer.offer_id,
        )
        .values(dismissed_ms=offer.dismissed_ms, silenced_until_ms=offer.silenced_until_ms)
    )
