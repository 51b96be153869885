import dataclasses

import pytest

from libs.domain.event import DAY_MS
from libs.domain.prompt import PromptState
from reprise.recap.v1 import quiz_pb2
from services.recap.quiz.prompt_policy import (
    GAP_MS,
    SILENCE_MS,
    Moment,
    Refusal,
    decide,
    dismissed,
)

NOW_MS = 1_760_000_000_000
IDLE = Moment()
NEVER = PromptState()


def test_refusals_are_those_of_the_contract() -> None:
    named = {
        name.removeprefix("OFFER_REFUSAL_"): number
        for name, number in quiz_pb2.OfferRefusal.items()
    }
    assert int(named.pop("UNSPECIFIED")) == Refusal.NONE
    assert named == {refusal.name: refusal.value for refusal in Refusal if refusal}


def test_whoever_was_never_asked_is_offered_it_and_the_slot_is_taken() -> None:
    verdict = decide(NEVER, IDLE, NOW_MS)
    assert verdict.refusal is Refusal.NONE
    assert verdict.state == PromptState(taken_ms=NOW_MS)
    assert verdict.earliest_ms == NOW_MS + 7 * DAY_MS


@pytest.mark.parametrize(("later_ms", "refusal"), [(GAP_MS - 1, Refusal.RECENT), (GAP_MS, 0)])
def test_a_week_lies_between_two_offers(later_ms: int, refusal: int) -> None:
    verdict = decide(PromptState(taken_ms=NOW_MS), IDLE, NOW_MS + later_ms)
    assert verdict.refusal == refusal


def test_a_replica_whose_clock_is_behind_does_not_offer_again() -> None:
    assert decide(PromptState(taken_ms=NOW_MS), IDLE, NOW_MS - DAY_MS).refusal is Refusal.RECENT


def test_the_second_dismissal_silences_it_for_thirty_days_and_the_first_does_not() -> None:
    once = dismissed(PromptState(taken_ms=NOW_MS - GAP_MS), NOW_MS - GAP_MS)
    assert once.silenced_until_ms == 0
    twice = dismissed(once, NOW_MS)
    assert twice.silenced_until_ms == NOW_MS + 30 * DAY_MS
    assert decide(twice, IDLE, NOW_MS + SILENCE_MS - 1).refusal is Refusal.SILENCED
    assert decide(twice, IDLE, NOW_MS + SILENCE_MS).refusal is Refusal.NONE
    third = dismissed(twice, NOW_MS + SILENCE_MS)
    assert third.silenced_until_ms == twice.silenced_until_ms, "counted anew after a silence"


def test_a_clock_that_went_back_shortens_no_silence() -> None:
    silenced = dismissed(PromptState(dismissal_count=1), NOW_MS)
    earlier_ms = NOW_MS - 10 * DAY_MS
    again = dismissed(dismissed(silenced, earlier_ms), earlier_ms)
    assert again.silenced_until_ms == NOW_MS + SILENCE_MS
    assert decide(again, IDLE, earlier_ms).refusal is Refusal.SILENCED


@pytest.mark.parametrize(
    ("moment", "refusal", "earliest_ms"),
    [
        (Moment(is_switched_off=True), Refusal.SWITCHED_OFF, 0),
        (Moment(is_known=False), Refusal.NOT_KNOWN, 0),
        (Moment(is_playing=True), Refusal.PLAYING, 0),
        (Moment(next_episode_until_ms=NOW_MS + 1), Refusal.NEXT_EPISODE, NOW_MS + 1),
    ],
)
def test_a_refusal_takes_no_slot(moment: Moment, refusal: Refusal, earliest_ms: int) -> None:
    verdict = decide(NEVER, moment, NOW_MS)
    assert (verdict.refusal, verdict.earliest_ms, verdict.state) == (refusal, earliest_ms, None)
    held_out = decide(NEVER, dataclasses.replace(moment, is_held_out=True), NOW_MS)
    assert held_out == verdict, "nor does a hold-out count where others are refused"


def test_a_hold_out_takes_the_slot_that_an_offer_would_have_taken() -> None:
    verdict = decide(NEVER, Moment(is_held_out=True), NOW_MS)
    assert verdict.refusal is Refusal.HOLD_OUT
    assert verdict.state == decide(NEVER, IDLE, NOW_MS).state
