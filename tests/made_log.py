"""Long logs, quickly made: random events of a year, and plays all over a file."""

from random import Random

from libs.domain.event import (
    DAY_MS,
    Detail,
    Event,
    EventKind,
    MyListChange,
    Placement,
    Rating,
    Search,
    Thumb,
    ThumbDirection,
    WatchedInterval,
)
from libs.domain.viewing import Device, ViewingContext
from tests.made_events import START_MS, watch


def made_event(place: int, rng: Random) -> Event:
    """One event; `place` makes its id."""
    start_ms = rng.randrange(0, 5_400) * 1_000
    kind, detail = rng.choice(
        [
            (EventKind.IMPRESSION, None),
            (EventKind.CLICK, None),
            (EventKind.PLAY, WatchedInterval(0, 0, 5_400_000)),
            (EventKind.PROGRESS, WatchedInterval(start_ms, start_ms + 60_000, 5_460_000)),
            (EventKind.COMPLETE, WatchedInterval(start_ms, 5_460_000, 5_460_000)),
            (EventKind.THUMB, Thumb(rng.choice(list(ThumbDirection)))),
            (EventKind.RATING, Rating(rng.randrange(6), 5.0)),
            (EventKind.MY_LIST, MyListChange(rng.random() < 0.5)),
            (EventKind.SEARCH, Search("a film")),
        ]
    )
    wanted: Detail | None = detail
    return Event(
        f"event{place}",
        f"profile{rng.randrange(500)}",
        kind,
        START_MS + rng.randrange(365 * DAY_MS) // 1_000 * 1_000,
        sequence=rng.randrange(3),
        title_id=f"title{rng.randrange(300)}",
        context=ViewingContext(
            "Europe/Berlin", rng.choice(list(Device)), rng.choice(["DE", "NZ", ""])
        ),
        detail=wanted,
        placement=Placement("page") if kind is EventKind.IMPRESSION else None,
    )


def scattered(profile_ids: list[str], rng: Random) -> list[Event]:
    """14,000 plays, each of anybody: enough that pages of a file are split and merged."""
    return [
        watch(
            f"e{number}",
            START_MS + rng.randrange(10**9),
            profile_id=rng.choice(profile_ids),
            title_id=f"t{rng.randrange(300)}",
        )
        for number in range(14_000)
    ]
