"""Wishes: the titles that the newest answers of a quiz come to."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import Event, EventKind, QuizAnswer, Wish
from libs.features.evidence import session_evidence
from libs.features.wishes import (
    NO_WISHES,
    WISH_HALF_LIFE_MS,
    WISH_STRENGTH,
    WISH_TTL_MS,
    Wishes,
    decode_wishes,
    encode_wishes,
)
from tests.made_events import START_MS

ROW_OF = {"a": 3, "b": 1}


def answer(event_id: str, occurred_ms: int, *wishes: Wish, sequence: int = 0) -> Event:
    return Event(
        event_id,
        "p",
        EventKind.QUIZ_ANSWER,
        occurred_ms,
        sequence,
        detail=QuizAnswer("z", "q", "o", wishes),
    )


def after(events: list[Event]) -> Wishes:
    wishes = NO_WISHES
    for event in events:
        wishes = wishes.after(event)
    return wishes


def test_the_newest_answer_that_wishes_for_anything_holds() -> None:
    first, second = Wish("a", 1.0), Wish("b", 0.5)
    events = [
        answer("1", START_MS, first),
        answer("2", START_MS, second, sequence=1),
        answer("3", START_MS + 9),
    ]
    assert after(events).wishes == after(events[::-1]).wishes == (second,)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.sampled_from("abc")), max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_order_of_arrival_does_not_matter(
    drawn: list[tuple[int, int, str]], rng: Random
) -> None:
    events = [
        answer(f"e{place}", ms, Wish(title_id, 0.5), sequence=sequence)
        for place, (ms, sequence, title_id) in enumerate(drawn)
    ]
    shuffled = list(events)
    rng.shuffle(shuffled)
    assert after(shuffled) == after(events)


def test_wishes_survive_their_bytes() -> None:
    wishes = after([answer("1", 5, Wish("ü" * 64, 1.0), Wish("b", 5e-324))])
    assert decode_wishes(encode_wishes(wishes)) == wishes
    assert encode_wishes(NO_WISHES) == b""
    assert decode_wishes(b"") is NO_WISHES


def test_wishes_fade_by_half_and_are_gone_after_a_day() -> None:
    wishes = after([answer("1", START_MS, Wish("a", 0.5))])
    assert wishes.at(START_MS - 1) == wishes.at(START_MS) == (("a", 0.5 * WISH_STRENGTH),)
    assert wishes.at(START_MS + int(WISH_HALF_LIFE_MS)) == (("a", 0.25 * WISH_STRENGTH),)
    assert wishes.at(START_MS + WISH_TTL_MS - 1)
    assert wishes.at(START_MS + WISH_TTL_MS) == ()
    assert wishes.unexpired(START_MS + WISH_TTL_MS) is NO_WISHES


@pytest.mark.parametrize("seeds", [(), (("b", 2.0),)])
def test_a_request_that_brings_evidence_of_its_own_is_heard_alone(
    seeds: tuple[tuple[str, float], ...],
) -> None:
    wishes = after([answer("1", START_MS, Wish("a", 1.0), Wish("nobody knows it", 1.0))])
    evidence = session_evidence(seeds, wishes, START_MS, ROW_OF)
    assert evidence.rows.tolist() == ([1] if seeds else [3])
    assert evidence.weights.tolist() == ([2.0] if seeds else [WISH_STRENGTH])
