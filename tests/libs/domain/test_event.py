from collections.abc import Callable
from typing import Any

import pytest

from libs.domain.event import (
    DETAIL_OF_KIND,
    KINDS_ABOUT_A_TITLE,
    MAX_WISHES,
    Dwell,
    Event,
    EventKind,
    MyListChange,
    Placement,
    Prompt,
    QuizAnswer,
    Rating,
    RowScroll,
    ScrollDirection,
    Search,
    Thumb,
    ThumbDirection,
    WatchedInterval,
    Wish,
)
from libs.faults import InvalidField
from reprise.events.v1 import events_pb2

WISHES = tuple(Wish(f"t{place}", 1.0) for place in range(MAX_WISHES + 1))


def event(kind: EventKind = EventKind.LOGIN, **changes: Any) -> Event:
    usual: dict[str, Any] = {"event_id": "e", "profile_id": "p", "kind": kind, "occurred_ms": 1}
    return Event(**usual | changes)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: event(event_id=""), "event_id"),
        (lambda: event(event_id="e" * 129), "event_id"),
        (lambda: event(profile_id="p\x00"), "profile_id"),
        (lambda: event(profile_id="p\u202e"), "profile_id"),
        (lambda: event(session_id="s\n"), "session_id"),
        (lambda: event(session_id="s\ud800"), "session_id"),
        (lambda: event(occurred_ms=-1), "occurred_at"),
        (lambda: event(sequence=-1), "sequence"),
        (lambda: event(EventKind.CLICK), "title_id"),
        (lambda: event(EventKind.IMPRESSION, title_id="t"), "placement"),
        (lambda: event(EventKind.THUMB, title_id="t"), "detail"),
        (lambda: event(EventKind.LOGIN, detail=Dwell(1)), "detail"),
        (lambda: event(EventKind.THUMB, title_id="t", detail=Rating(1, 5)), "detail"),
        (
            lambda: event(EventKind.STOP, title_id="t", detail=WatchedInterval(5, 4, 9)),
            "watched.to_ms",
        ),
        (lambda: WatchedInterval(-1, 4, 9), "watched.from_ms"),
        (lambda: WatchedInterval(0, 4, 0), "watched.duration_ms"),
        (lambda: WatchedInterval(0, 4, 10**18), "watched.duration_ms"),
        (lambda: Rating(float("nan"), 5), "rating.value"),
        (lambda: Rating(6, 5), "rating.value"),
        (lambda: Rating(1, float("inf")), "rating.scale"),
        (lambda: Rating(0, 0), "rating.scale"),
        (lambda: Search("q" * 513), "search.query"),
        (lambda: Search("q", -1), "search.result_count"),
        (lambda: RowScroll(ScrollDirection.DOWN, "r" * 129), "row_scroll.row_id"),
        (lambda: RowScroll(ScrollDirection.DOWN, "r", -1), "row_scroll.visible_ms"),
        (lambda: Dwell(-1), "dwell.dwell_ms"),
        (lambda: QuizAnswer("", "q", "a"), "quiz_answer.quiz_id"),
        (lambda: Wish("", 1.0), "quiz_answer.wishes.title_id"),
        (lambda: Wish("t", 0.0), "quiz_answer.wishes.weight"),
        (lambda: Wish("t", 1.1), "quiz_answer.wishes.weight"),
        (lambda: Wish("t", float("nan")), "quiz_answer.wishes.weight"),
        (lambda: QuizAnswer("z", "q", "a", WISHES), "quiz_answer.wishes"),
        (lambda: QuizAnswer("z", "q", "a", WISHES[:1] * 2), "quiz_answer.wishes.title_id"),
        (lambda: Prompt(""), "prompt.prompt_id"),
        (lambda: Placement(""), "placement.page_id"),
        (lambda: Placement("page", position=-1), "placement.position"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_field(
    make: Callable[[], object], field: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        make()
    assert caught.value.field == field


def test_a_seek_may_go_backwards() -> None:
    seek = event(EventKind.SEEK, title_id="t", detail=WatchedInterval(9, 4, 10))
    assert seek.detail == WatchedInterval(9, 4, 10)


def test_kinds_are_those_of_the_contract() -> None:
    in_contract = {
        name.removeprefix("EVENT_KIND_"): number
        for name, number in events_pb2.EventKind.items()
        if number
    }
    assert {kind.name: kind.value for kind in EventKind} == in_contract


def test_thumbs_and_scrolls_are_those_of_the_contract() -> None:
    for domain, contract, prefix in (
        (ThumbDirection, events_pb2.ThumbDirection, "THUMB_DIRECTION_"),
        (ScrollDirection, events_pb2.ScrollDirection, "SCROLL_DIRECTION_"),
    ):
        in_contract = {name.removeprefix(prefix): n for name, n in contract.items() if n}
        assert {member.name: member.value for member in domain} == in_contract


def test_every_kind_with_a_watched_interval_is_about_a_title() -> None:
    watched = {kind for kind, detail in DETAIL_OF_KIND.items() if detail is WatchedInterval}
    opinions = {kind for kind, detail in DETAIL_OF_KIND.items() if detail in (Thumb, MyListChange)}
    assert watched | opinions <= KINDS_ABOUT_A_TITLE


def test_order_is_time_then_sequence_then_id() -> None:
    events = [
        event(event_id="b", occurred_ms=1, sequence=2),
        event(event_id="a", occurred_ms=1, sequence=2),
        event(event_id="z", occurred_ms=1, sequence=1),
        event(event_id="y", occurred_ms=0, sequence=9),
    ]
    assert [one.event_id for one in sorted(events, key=lambda one: one.order)] == list("yzab")
