"""Likes and dislikes of a title are those of the newest thumbs, whatever came when."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import Event, EventKind, Thumb, ThumbDirection
from libs.domain.viewing import ViewingContext
from libs.features.event_columns import EventColumns, from_events, without_thumbs
from libs.features.thumbs import thumb_shares
from libs.features.title_counters import OPINION_COLUMNS, TITLE_COUNTER_COUNT
from libs.features.title_replay import TitleReplay
from libs.features.title_table import LiveTitleCounters, TitleTable
from tests.made_events import START_MS

UP, DOWN, RETRACTED = ThumbDirection.UP, ThumbDirection.DOWN, ThumbDirection.RETRACTED
DIRECTIONS = st.sampled_from([UP, DOWN, RETRACTED])
COUNTRIES = st.sampled_from(["", "DE", "NZ"])


def thumb(
    place: int, direction: ThumbDirection, country: str = "DE", profile_id: str = "p", at: int = 0
) -> Event:
    return Event(
        f"e{place:02}", profile_id, EventKind.THUMB, START_MS + at, title_id="title0",
        context=ViewingContext(country=country), detail=Thumb(direction),
    )  # fmt: skip


@st.composite
def thumbs(draw: st.DrawFn) -> list[Event]:
    """Few viewers, countries and moments, so that they meet."""
    return [
        thumb(
            place, draw(DIRECTIONS), draw(COUNTRIES), draw(st.sampled_from("pq")),
            draw(st.integers(0, 5)) * 10**7,
        )
        for place in range(draw(st.integers(0, 12)))
    ]  # fmt: skip


def likes(table: TitleTable, country: str | None = None) -> tuple[float, float]:
    counters = table.counters if country is None else table.country_counters.get(country)
    if counters is None or not len(counters):
        return 0.0, 0.0
    return counters[0, OPINION_COLUMNS[1]].item(), counters[0, OPINION_COLUMNS[-1]].item()


def wanted(some: list[Event], country: str | None = None) -> tuple[float, float]:
    newest: dict[str, Event] = {}
    for event in sorted(some, key=lambda event: event.order):
        newest[event.profile_id] = event
    held = [
        event.detail.direction
        for event in newest.values()
        if isinstance(event.detail, Thumb) and country in (None, event.context.country)
    ]
    return float(held.count(UP)), float(held.count(DOWN))


def assert_is_of(table: TitleTable, some: list[Event]) -> None:
    assert likes(table) == wanted(some)
    for country in ("DE", "NZ"):
        assert likes(table, country) == wanted(some, country)


@given(thumbs(), st.randoms(use_true_random=False), st.lists(st.integers(0, 12), max_size=3))
def test_the_newest_thumb_of_each_holds_in_whatever_order_they_come(
    some: list[Event], random: Random, cuts: list[int]
) -> None:
    whole = LiveTitleCounters()
    whole.add(from_events(some))
    table = whole.table(START_MS + 10**9)
    assert_is_of(table, some)
    shuffled = list(some)
    random.shuffle(shuffled)
    edges = [0, *sorted(min(cut, len(some)) for cut in cuts), len(some)]
    batched = LiveTitleCounters()
    for start, stop in zip(edges, edges[1:], strict=False):  # noqa: RUF007  pairs of edges
        batched.add(without_thumbs(from_events(shuffled[start:stop])))
        batched.add_shares(thumb_shares(shuffled[start:stop], shuffled[:start]))
    found = batched.table(START_MS + 10**9)
    assert_is_of(found, some)
    assert found.title_ids == table.title_ids
    assert found.country_counters.keys() == table.country_counters.keys()
    assert found.newest_ms == table.newest_ms


@given(thumbs(), st.integers(0, 6))
def test_at_a_past_time_the_newest_of_then_holds(some: list[Event], steps: int) -> None:
    def read(after_ms: int, to_ms: int) -> EventColumns:
        until = [event for event in some if event.occurred_ms <= to_ms]
        return from_events(
            [event for event in until if event.occurred_ms > after_ms],
            [event for event in until if event.occurred_ms <= after_ms],
        )

    replay = TitleReplay(read)
    for at in (steps * 10**7, 2 * 10**7, 10**8):
        as_of_ms = START_MS + at
        until = [event for event in some if event.occurred_ms <= as_of_ms]
        assert_is_of(replay.table(as_of_ms), until)


def test_a_thumb_that_is_taken_back_leaves_what_others_said() -> None:
    first = [thumb(0, UP), thumb(1, UP, "NZ", "q"), thumb(2, DOWN, "DE", "r")]
    live = LiveTitleCounters()
    live.add_shares(thumb_shares(first))
    assert likes(live.table(START_MS + 1)) == (2, 1)
    # From another country, and counted in that of the thumb.
    live.add_shares(thumb_shares([thumb(3, RETRACTED, "NZ", at=1)], first))
    table = live.table(START_MS + 1)
    assert likes(table) == (1, 1)
    assert (likes(table, "DE"), likes(table, "NZ")) == ((0, 1), (1, 0))
    late = replace(thumb(4, DOWN), sequence=0, occurred_ms=START_MS - 1)
    live.add_shares(thumb_shares([late], [*first, thumb(3, RETRACTED, "NZ", at=1)]))
    assert likes(live.table(START_MS + 1)) == (1, 1)


def test_other_events_are_no_thumbs() -> None:
    for shares in (thumb_shares([]), thumb_shares([], [thumb(0, UP)])):
        assert shares.title_ids == ()
        assert shares.values.shape == (0, TITLE_COUNTER_COUNT)
