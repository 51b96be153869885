"""Hours of the week: a function of the set of events, shrunk where little is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event
from libs.domain.title import Title, TitleKind
from libs.domain.viewing import Device, ViewingContext
from libs.features.catalogue_columns import from_titles
from libs.features.daypart import daypart
from libs.features.event_columns import from_events
from libs.features.title_block import popularity, title_block
from libs.features.title_table import LiveTitleCounters, aligned
from libs.features.watched_days import HOUR_COUNT, watched_days
from libs.features.week_hours import (
    DAYPART_OF_HOUR,
    HALF_LIFE_DAYS,
    HOURS_OF_WEEK,
    WeekHours,
    hour_lift,
    hour_of_week,
    popularity_at,
)
from tests.made_events import START_MS, assert_close, event_lists, watch

ROWS = {"title0": 0, "title1": 1}
MONDAY = datetime(2023, 11, 13, tzinfo=UTC)
TODAY = (START_MS + 100 * DAY_MS) // DAY_MS


def at(event_id: str, moment: datetime, title_id: str = "title0") -> Event:
    whole = watch(event_id, int(moment.timestamp() * 1000), title_id=title_id, to_ms=10_000)
    return replace(whole, context=ViewingContext(country="DE", device=Device.TV))


def viewings(some: list[Event], day: int = TODAY) -> np.ndarray:
    hours = WeekHours(ROWS, 2, day)
    hours.add(watched_days(some))
    return hours.values


def test_the_hours_of_a_week_have_their_dayparts() -> None:
    for number in range(HOURS_OF_WEEK):
        moment = MONDAY + timedelta(hours=number)
        day = moment.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
        assert hour_of_week(day, moment.hour) == number
        assert DAYPART_OF_HOUR[number] == daypart(moment)


@given(event_lists(most=20, profile_count=1), st.randoms(use_true_random=False), st.integers(0, 20))
def test_viewings_of_parts_in_any_order_are_those_of_the_whole(
    some: list[Event], random: Random, cut: int
) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    found = WeekHours(ROWS, 2, TODAY)
    days = watched_days(shuffled)
    random.shuffle(days)
    found.add(days[cut:])
    found.add(days[:cut])
    assert_close(found.values, viewings(some))


def test_a_viewing_fades_and_the_future_is_not_seen() -> None:
    event = at("a", MONDAY + timedelta(hours=20))
    day = event.occurred_ms // DAY_MS
    assert viewings([event], day)[0, 20] == 1.0
    assert viewings([event], day + int(HALF_LIFE_DAYS))[0, 20] == 0.5
    assert not viewings([event], day - 1).any()
    assert not viewings([replace(event, title_id="unknown")], day).any()


def test_an_hour_stands_out_as_far_as_there_is_evidence() -> None:
    rng = np.random.default_rng(1)
    everywhere = rng.poisson(30.0, (40, HOURS_OF_WEEK)).astype(np.float64)
    everywhere[0] *= 1e-3
    everywhere[0, 20] += 1.0  # one viewing of a title that hardly anybody knows
    everywhere[1, 20] *= 8  # and the evening show of many
    lift = hour_lift(everywhere)
    assert 0 < lift[0, 20] < 2.5 < np.log(168)
    assert lift[1, 20] > 1.5
    assert np.abs(lift[2:]).max() < 1.0
    # Nothing known is the usual.
    assert np.abs(hour_lift(np.zeros((3, HOURS_OF_WEEK)))).max() < 1e-9


def test_a_daypart_lends_to_hours_of_which_nothing_is_known() -> None:
    rows = np.full((30, HOURS_OF_WEEK), 5.0)
    evenings = np.flatnonzero(DAYPART_OF_HOUR == 3)
    rows[0] = 0.0
    rows[0, evenings[1:]] = 1.0
    lift = hour_lift(rows)
    night = np.flatnonzero(DAYPART_OF_HOUR == 0)[0]
    assert lift[0, night] < lift[0, evenings[0]] < lift[0, evenings[1]]


def test_popularity_follows_country_device_and_hour() -> None:
    some = []
    for week in range(8):
        monday = MONDAY + timedelta(days=7 * week)
        for viewer in range(10):
            name = f"{week}-{viewer}"
            some.append(at(f"m{name}", monday + timedelta(hours=8, minutes=viewer), "title0"))
            some.append(at(f"e{name}", monday + timedelta(hours=21, minutes=viewer), "title1"))
    now_ms = some[-1].occurred_ms + 1
    live = LiveTitleCounters()
    live.add(from_events(some))
    columns = from_titles(
        [Title(name, TitleKind.MOVIE, name) for name in ("title0", "title1")], ("title0", "title1")
    )
    titles = aligned(live.table(now_ms), ("title0", "title1"), "DE")
    block = title_block(columns, titles)
    hours = WeekHours(ROWS, 2, now_ms // DAY_MS)
    hours.add(watched_days(some))
    lift = hour_lift(hours.values)
    morning = popularity_at(titles, block, lift, Device.TV, 8)
    evening = popularity_at(titles, block, lift, Device.TV, 21)
    assert morning[0] > 1.1 * morning[1]
    assert evening[1] > 1.1 * evening[0]
    usual = popularity(titles)
    assert abs(usual[0] / usual[1] - 1) < 0.1
    assert hours.values.nbytes == 2 * HOUR_COUNT * 7 * 8
