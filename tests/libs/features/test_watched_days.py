"""Days are a function of the set of events, by the clock of each event's own time zone."""

from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import Event, EventKind
from libs.domain.viewing import ViewingContext, local_time
from libs.features.engagement import PLAYBACK_KINDS, watched_ms
from libs.features.watched_days import between, day_number, merge_days, watched_days
from tests.made_events import START_MS, event_lists, impression, watch


def at(event_id: str, moment: datetime, time_zone: str) -> Event:
    plain = watch(event_id, int(moment.timestamp() * 1000), kind=EventKind.PLAY)
    return replace(plain, context=ViewingContext(time_zone=time_zone))


@given(event_lists(most=20, profile_count=1), st.randoms(use_true_random=False), st.integers(0, 20))
def test_days_of_parts_in_any_order_are_those_of_the_whole(
    some: list[Event], random: Random, cut: int
) -> None:
    whole = watched_days(some)
    shuffled = list(some)
    random.shuffle(shuffled)
    parts = [*watched_days(shuffled[cut:]), *watched_days(shuffled[:cut])]
    random.shuffle(parts)
    assert merge_days(parts) == whole
    assert [(one.day, one.title_id) for one in whole] == sorted(
        {(one.day, one.title_id) for one in whole}
    )
    assert sum(one.watched_ms for one in whole) == sum(map(watched_ms, some))
    assert all(sum(one.hours_ms) == one.watched_ms for one in whole)
    played = [event for event in some if event.kind in PLAYBACK_KINDS]
    assert sum(one.play_count for one in whole) == sum(
        event.kind is EventKind.PLAY for event in played
    )
    for event in played:
        local = local_time(event.occurred_ms, event.context.time_zone)
        (one,) = [
            day for day in whole if (day.date, day.title_id) == (local.date(), event.title_id)
        ]
        assert one.first_ms <= event.occurred_ms <= one.last_ms


def test_the_year_ends_by_the_clock_of_the_viewer() -> None:
    moment = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    (there,) = watched_days([at("a", moment, "Europe/Berlin")])
    (here,) = watched_days([at("a", moment, "America/New_York")])
    assert there.date == date(2026, 1, 1)
    assert [hour for hour, ms in enumerate(there.hours_ms) if ms] == [0]
    assert here.date == date(2025, 12, 31)
    assert [hour for hour, ms in enumerate(here.hours_ms) if ms] == [18]


def test_the_hour_that_comes_twice_is_one() -> None:
    first = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, and an hour later again
    second = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    (day,) = watched_days([at("a", first, "Europe/Berlin"), at("b", second, "Europe/Berlin")])
    assert (day.play_count, day.hours_ms[2]) == (2, 10_000)
    assert day.time_zone == "Europe/Berlin"


def test_what_was_only_shown_makes_no_day_and_a_jump_no_minutes() -> None:
    assert watched_days([impression("a", START_MS)]) == []
    (day,) = watched_days([watch("b", START_MS, kind=EventKind.SEEK)])
    assert (day.watched_ms, day.duration_ms) == (0, 10_000)


def test_days_are_chosen_with_both_ends() -> None:
    days = watched_days([watch(f"e{n}", START_MS + n * 86_400_000) for n in range(5)])
    first = day_number(days[1].date)
    assert between(days, first, first + 1) == days[1:3]
    assert between(days, None, None) == days
