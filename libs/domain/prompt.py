"""Prompts: invitations that a viewer did not ask for, and what is remembered of them."""

from dataclasses import dataclass
from enum import StrEnum

from libs.domain.identifiers import check_id


@dataclass(frozen=True, slots=True)
class PromptState:
    """What the caps of one profile rest on; times are Unix milliseconds, 0 is never."""

    # The last time that the slot was taken: by an offer, or by one that a hold-out was not made.
    taken_ms: int = 0
    # Since the last silence began.
    dismissal_count: int = 0
    silenced_until_ms: int = 0


NEVER_PROMPTED = PromptState()


class PromptArm(StrEnum):
    """What became of a slot that was taken."""

    OFFERED = "offered"
    # Would have been offered: kept to be compared with those who were.
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True)
class PromptOffer:
    """One taken slot; `dismissed_ms` and `silenced_until_ms` are 0 before a dismissal."""

    offer_id: str
    arm: PromptArm
    taken_ms: int
    dismissed_ms: int = 0
    silenced_until_ms: int = 0

    def __post_init__(self) -> None:
        check_id("offer_id", self.offer_id)
