"""Events as hypothesis makes them: few profiles, titles and times, so that they meet."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from libs.domain.event import (
    DAY_MS,
    DETAIL_OF_KIND,
    Detail,
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
from libs.domain.viewing import Device, Surface, ViewingContext
from libs.features.profile_state import ProfileState
from libs.features.title_record import TITLE_RECORD
from libs.features.title_table import TitleTable

START_MS = 1_700_000_000_000
TIMES = st.sampled_from(
    [0, START_MS, START_MS + 1, START_MS + DAY_MS // 2, START_MS + DAY_MS, START_MS + 90 * DAY_MS]
) | st.integers(START_MS, START_MS + 40 * DAY_MS)

# Details by type; a SEEK may go back, so intervals are made for each kind.
_DETAILS: dict[type, st.SearchStrategy[Detail]] = {
    Thumb: st.builds(Thumb, st.sampled_from(ThumbDirection)),
    Rating: st.builds(Rating, st.integers(0, 5), st.just(5.0)),
    MyListChange: st.builds(MyListChange, st.booleans()),
    Search: st.builds(Search, st.sampled_from(["", "wüste"]), st.integers(0, 9)),
    RowScroll: st.builds(RowScroll, st.sampled_from(ScrollDirection), st.just("row"), st.just(5)),
    Dwell: st.builds(Dwell, st.integers(0, 9)),
    QuizAnswer: st.builds(
        QuizAnswer,
        st.just("quiz"),
        st.just("question"),
        st.just("answer"),
        st.sampled_from([(), (Wish("t0", 1.0), Wish("t1", 0.25)), (Wish("t9", 0.5),)]),
    ),
    Prompt: st.builds(Prompt, st.just("prompt")),
}
CONTEXTS = st.builds(
    ViewingContext,
    time_zone=st.sampled_from(["", "Europe/Berlin", "Pacific/Auckland"]),
    device=st.sampled_from(Device),
    country=st.sampled_from(["", "DE", "NZ"]),
    language=st.sampled_from(["", "de"]),
    surface=st.sampled_from(Surface),
    kids=st.booleans(),
    geo_cell=st.sampled_from(["", "u33d"]),
)


@st.composite
def watched_intervals(draw: st.DrawFn, kind: EventKind) -> WatchedInterval:
    from_ms, to_ms = draw(st.tuples(st.integers(0, 20), st.integers(0, 20)))
    if kind is not EventKind.SEEK:
        from_ms, to_ms = min(from_ms, to_ms), max(from_ms, to_ms)
    # A second above the shorter duration is what clients may round to.
    return WatchedInterval(from_ms * 450, to_ms * 450, draw(st.sampled_from([8_000, 10_000])))


@st.composite
def events(
    draw: st.DrawFn, event_id: str = "event", profile_count: int = 2, title_count: int = 2
) -> Event:
    kind = draw(st.sampled_from(EventKind))
    wanted = DETAIL_OF_KIND.get(kind)
    detail: Detail | None = None
    if wanted is WatchedInterval:
        detail = draw(watched_intervals(kind))
    elif wanted is not None:
        detail = draw(_DETAILS[wanted])
    placement = None
    if kind is EventKind.IMPRESSION or draw(st.booleans()):
        placement = Placement(f"page{draw(st.integers(0, 2))}", 0, draw(st.integers(0, 3)))
    return Event(
        event_id=event_id,
        profile_id=f"profile{draw(st.integers(0, profile_count - 1))}",
        kind=kind,
        occurred_ms=draw(TIMES),
        sequence=draw(st.integers(0, 2)),
        session_id=draw(st.sampled_from(["", "session"])),
        title_id=f"title{draw(st.integers(0, title_count - 1))}",
        context=draw(CONTEXTS),
        detail=detail,
        placement=placement,
    )


@st.composite
def event_lists(
    draw: st.DrawFn, most: int = 12, profile_count: int = 2, title_count: int = 2
) -> list[Event]:
    """Up to `most` events of distinct ids."""
    return [
        draw(events(f"event{place}", profile_count, title_count))
        for place in range(draw(st.integers(0, most)))
    ]


def watch(
    event_id: str,
    occurred_ms: int,
    *,
    profile_id: str = "profile0",
    title_id: str = "title0",
    from_ms: int = 0,
    to_ms: int = 5_000,
    kind: EventKind = EventKind.PROGRESS,
    country: str = "",
) -> Event:
    """One playback event of a title of 10 s."""
    return Event(
        event_id,
        profile_id,
        kind,
        occurred_ms,
        title_id=title_id,
        context=ViewingContext(country=country),
        detail=WatchedInterval(from_ms, to_ms, 10_000),
    )


def impression(
    event_id: str,
    occurred_ms: int,
    *,
    profile_id: str = "profile0",
    title_id: str = "title0",
    page_id: str = "page0",
) -> Event:
    """One impression."""
    return Event(
        event_id,
        profile_id,
        EventKind.IMPRESSION,
        occurred_ms,
        title_id=title_id,
        placement=Placement(page_id),
    )


DECAYED_FIELDS = ("engagement", "starts", "impressions", "clicks")


def assert_same_state(found: ProfileState, wanted: ProfileState) -> None:
    """Registers and intervals to the bit, counters up to rounding."""
    assert found.title_ids == wanted.title_ids
    assert found.newest_ms == wanted.newest_ms
    assert found.wishes == wanted.wishes
    assert found.counters.at_ms == wanted.counters.at_ms
    assert_close(found.counters.values, wanted.counters.values)
    names: Sequence[str] = TITLE_RECORD.names or ()
    for name in names:
        if name in DECAYED_FIELDS:
            assert_close(found.records[name], wanted.records[name])
        else:
            np.testing.assert_array_equal(found.records[name], wanted.records[name], name)


def assert_close(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-250)


def assert_same_table(found: TitleTable, wanted: TitleTable, *, atol: float = 0.0) -> None:
    """The same titles and countries; counters up to the rounding of 32 bits."""
    assert found.title_ids == wanted.title_ids
    np.testing.assert_allclose(found.counters, wanted.counters, rtol=1e-6, atol=atol)
    assert found.country_counters.keys() == wanted.country_counters.keys()
    for country, counters in found.country_counters.items():
        np.testing.assert_allclose(counters, wanted.country_counters[country], rtol=1e-6, atol=atol)


def assert_same_counters(one: TitleTable, other: TitleTable) -> None:
    """The same but for rows of zeros, which a title keeps that had events once."""
    for rows in ("counters", "country_counters"):
        found, wanted = (
            {
                (title_id, country): row
                for country, values in (
                    table.country_counters.items()
                    if rows == "country_counters"
                    else [("", table.counters)]
                )
                for title_id, row in zip(table.title_ids, values, strict=True)
            }
            for table in (one, other)
        )
        nothing = np.zeros(one.counters.shape[1])
        for key in found.keys() | wanted.keys():
            np.testing.assert_allclose(
                found.get(key, nothing), wanted.get(key, nothing), rtol=1e-9, atol=1e-9
            )
