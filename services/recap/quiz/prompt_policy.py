"""The prompt policy: (state, moment, now) -> whether the quiz may be offered, and what that leaves.

Fatigue caps as the open X home feed has them, decided on what is stored and never on a guess.
"""

import dataclasses
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from libs.domain.event import DAY_MS
from libs.domain.prompt import PromptState

# Once in a week; the second "no" is meant, for a month.
GAP_MS: Final = 7 * DAY_MS
DISMISSALS: Final = 2
SILENCE_MS: Final = 30 * DAY_MS


class Refusal(IntEnum):
    """Why nothing is offered; numbers are those of the contract, 0 is for an offer."""

    NONE = 0
    RECENT = 1
    SILENCED = 2
    PLAYING = 3
    NEXT_EPISODE = 4
    SWITCHED_OFF = 5
    HOLD_OUT = 6
    NOT_KNOWN = 7


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of the viewer and of the service right now."""

    is_switched_off: bool = False
    is_known: bool = True  # whether what the profile does now could be read
    is_playing: bool = False
    # Until when an episode is too fresh to be asked anything but "go on?"; 0 for none.
    next_episode_until_ms: int = 0
    is_held_out: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """An offer (refusal NONE), or why there is none; `earliest_ms` is 0 where nobody knows."""

    refusal: Refusal
    earliest_ms: int
    # What is to be remembered; None when nothing has changed.
    state: PromptState | None = None


def decide(state: PromptState, moment: Moment, now_ms: int) -> Verdict:
    """Whether to offer the quiz at `now_ms`.

    A hold-out is told apart last: only where an offer would have been made, whose slot it takes,
    so that both arms of the comparison are of the same moments.
    """
    free_ms = max(state.taken_ms + GAP_MS if state.taken_ms else 0, state.silenced_until_ms)
    if moment.is_switched_off:
        return Verdict(Refusal.SWITCHED_OFF, 0)
    if now_ms < state.silenced_until_ms:
        return Verdict(Refusal.SILENCED, free_ms)
    if now_ms < free_ms:
        return Verdict(Refusal.RECENT, free_ms)
    if not moment.is_known:
        return Verdict(Refusal.NOT_KNOWN, 0)
    if moment.is_playing:
        return Verdict(Refusal.PLAYING, 0)
    if now_ms < moment.next_episode_until_ms:
        return Verdict(Refusal.NEXT_EPISODE, moment.next_episode_until_ms)
    taken = dataclasses.replace(state, taken_ms=now_ms)
    refusal = Refusal.HOLD_OUT if moment.is_held_out else Refusal.NONE
    return Verdict(refusal, now_ms + GAP_MS, taken)


def dismissed(state: PromptState, now_ms: int) -> PromptState:
    """The state after one more dismissal, of an offer that was not dismissed before."""
    count = state.dismissal_count + 1
    if count < DISMISSALS:
        return dataclasses.replace(state, dismissal_count=count)
    # Of two that overlap the longer silence stands.
    until_ms = max(state.silenced_until_ms, now_ms + SILENCE_MS)
    return dataclasses.replace(state, dismissal_count=0, silenced_until_ms=until_ms)
