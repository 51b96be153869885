"""Offers and dismissals: each applied once, whatever is sent again and whoever dies in between."""

import dataclasses
import hashlib
from typing import Final

from libs.domain.event import Event, EventKind, Prompt
from libs.domain.prompt import PromptArm, PromptOffer, PromptState
from libs.domain.viewing import UNKNOWN_CONTEXT, ViewingContext
from libs.faults import InvalidField, NotFound
from libs.storage.recap.database import Database
from libs.storage.recap.outbox_table import add_events
from libs.storage.recap.personal_tables import PersonalTables
from libs.storage.recap.prompt_table import (
    hold_state,
    note_dismissal,
    read_offer,
    write_offer,
    write_state,
)
from services.recap.quiz.prompt_policy import GAP_MS, Moment, Refusal, Verdict, decide, dismissed

_REFUSAL_OF: Final = {PromptArm.OFFERED: Refusal.NONE, PromptArm.HELD_OUT: Refusal.HOLD_OUT}


class Prompts:
    """The slots of all profiles, in a database that replicas share."""

    def __init__(self, database: Database, personal: PersonalTables) -> None:
        self._database = database
        self._personal = personal

    def offer(
        self,
        tenant: str,
        profile_id: str,
        offer_id: str,
        moment: Moment,
        context: ViewingContext,
        now_ms: int,
    ) -> Verdict:
        """Take the slot if the policy allows it now; of two who ask at once one gets it.

        An offer_id that has taken a slot gets the same answer again for as long as that stands;
        one that was refused has changed nothing and is decided anew. Raises InvalidField for an
        offer_id whose slot is over, NotFound for an erased profile, and PartUnavailable.
        """
        with self._database.write() as connection:
            if self._personal.is_erased(connection, tenant, profile_id):
                raise NotFound("profile", profile_id)
            state = hold_state(connection, tenant, profile_id)
            taken = read_offer(connection, tenant, profile_id, offer_id)
            if taken is not None and _stands(taken, state, moment, now_ms):
                return Verdict(_REFUSAL_OF[taken.arm], taken.taken_ms + GAP_MS)
            verdict = decide(state, moment, now_ms)
            if verdict.state is not None:
                if taken is not None:
                    raise InvalidField("offer_id", "has had its offer; choose another one")
                is_held_out = verdict.refusal is Refusal.HOLD_OUT
                arm = PromptArm.HELD_OUT if is_held_out else PromptArm.OFFERED
                write_state(connection, tenant, profile_id, verdict.state)
                write_offer(connection, tenant, profile_id, PromptOffer(offer_id, arm, now_ms))
                if not is_held_out:
                    shown = _event(EventKind.PROMPT_SHOWN, profile_id, offer_id, now_ms, context)
                    add_events(connection, tenant, [shown])
        return verdict

    def dismiss(self, tenant: str, profile_id: str, offer_id: str, now_ms: int) -> int:
        """Note that an offer was not wanted; until when it is silent by that, 0 for not at all.

        The first dismissal of an offer counts, and answers for the others. Raises NotFound for
        what the profile was not offered, and PartUnavailable.
        """
        with self._database.write() as connection:
            if self._personal.is_erased(connection, tenant, profile_id):
                raise NotFound("profile", profile_id)
            state = hold_state(connection, tenant, profile_id)
            offer = read_offer(connection, tenant, profile_id, offer_id)
            if offer is None or offer.arm is not PromptArm.OFFERED:
                raise NotFound("offer", offer_id)
            if offer.dismissed_ms:
                return offer.silenced_until_ms
            after = dismissed(state, now_ms)
            is_silenced = after.dismissal_count == 0
            offer = dataclasses.replace(
                offer,
                dismissed_ms=now_ms,
                silenced_until_ms=after.silenced_until_ms if is_silenced else 0,
            )
            write_state(connection, tenant, profile_id, after)
            note_dismissal(connection, tenant, profile_id, offer)
            event = _event(EventKind.PROMPT_DISMISSED, profile_id, offer_id, now_ms)
            add_events(connection, tenant, [event])
        return offer.silenced_until_ms


def _stands(taken: PromptOffer, state: PromptState, moment: Moment, now_ms: int) -> bool:
    """Whether a slot still answers for its offer_id: an app that asks again may be a nuisance."""
    is_unwanted = taken.dismissed_ms > 0 or now_ms < state.silenced_until_ms
    is_over = now_ms >= taken.taken_ms + GAP_MS
    return not (is_unwanted or is_over or moment.is_switched_off)


def _event(
    kind: EventKind,
    profile_id: str,
    offer_id: str,
    now_ms: int,
    context: ViewingContext = UNKNOWN_CONTEXT,
) -> Event:
    return Event(
        event_id=event_id_of(kind.name, profile_id, offer_id),
        profile_id=profile_id,
        kind=kind,
        occurred_ms=now_ms,
        context=context,
        detail=Prompt(offer_id),
    )


def event_id_of(*parts: str) -> str:
    """The same id for the same parts, so that an event sent twice is recorded once."""
    # A character that no id may hold keeps the parts apart.
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
    return f"recap-{digest}"
