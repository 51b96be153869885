"""Days and nights at the edges: expectations from offsets written down by hand."""

import datetime as dt
from typing import Final

import pytest

from libs.domain.event import Event
from services.recap.year.counting import recaps
from services.recap.year.period import Period
from tests.made_recaps import play
from tests.services.recap.year.made_counts import counted, facts_of, movie, recap_of

MINUTE_MS: Final = 60_000

# Zone, the moment of the change in UTC, and the minutes ahead of UTC before and after it.
CHANGES: Final = (
    ("Europe/Berlin", "2024-03-31T01:00", 60, 120),
    ("Europe/Berlin", "2024-10-27T01:00", 120, 60),
    ("Europe/Berlin", "2025-03-30T01:00", 60, 120),
    ("Europe/Berlin", "2025-10-26T01:00", 120, 60),
    ("Europe/London", "2024-03-31T01:00", 0, 60),
    ("Europe/London", "2024-10-27T01:00", 60, 0),
    ("Europe/Lisbon", "2025-03-30T01:00", 0, 60),
    ("Europe/Lisbon", "2025-10-26T01:00", 60, 0),
    ("Europe/Helsinki", "2024-03-31T01:00", 120, 180),
    ("Europe/Helsinki", "2024-10-27T01:00", 180, 120),
    ("America/New_York", "2024-03-10T07:00", -300, -240),
    ("America/New_York", "2024-11-03T06:00", -240, -300),
    ("America/New_York", "2025-03-09T07:00", -300, -240),
    ("America/New_York", "2025-11-02T06:00", -240, -300),
    ("America/Los_Angeles", "2024-03-10T10:00", -480, -420),
    ("America/Los_Angeles", "2024-11-03T09:00", -420, -480),
    ("America/St_Johns", "2024-03-10T05:30", -210, -150),
    ("America/St_Johns", "2024-11-03T04:30", -150, -210),
    ("Australia/Sydney", "2024-04-06T16:00", 660, 600),
    ("Australia/Sydney", "2024-10-05T16:00", 600, 660),
    ("Australia/Lord_Howe", "2024-04-06T15:00", 660, 630),
    ("Australia/Lord_Howe", "2024-10-05T15:30", 630, 660),
    ("Pacific/Auckland", "2024-04-06T14:00", 780, 720),
    ("Pacific/Auckland", "2024-09-28T14:00", 720, 780),
    ("Pacific/Chatham", "2024-04-06T14:00", 825, 765),
    ("Pacific/Chatham", "2024-09-28T14:00", 765, 825),
    ("America/Santiago", "2024-04-07T03:00", -180, -240),
    ("America/Santiago", "2024-09-08T04:00", -240, -180),
    ("Africa/Cairo", "2024-04-25T22:00", 120, 180),
    ("Africa/Cairo", "2024-10-31T21:00", 180, 120),
    # A day that never was: Samoa went over the date line.
    ("Pacific/Apia", "2011-12-30T10:00", -600, 840),
)
# Zone, and the minutes ahead of UTC on 1 January 2024 and 2025.
NEW_YEARS: Final = (
    ("", 0),
    ("UTC", 0),
    ("Europe/Berlin", 60),
    ("Europe/London", 0),
    ("America/New_York", -300),
    ("America/Los_Angeles", -480),
    ("America/St_Johns", -210),
    ("America/Sao_Paulo", -180),
    ("Asia/Kolkata", 330),
    ("Asia/Kathmandu", 345),
    ("Asia/Tokyo", 540),
    ("Asia/Bangkok", 420),
    ("Africa/Cairo", 120),
    ("Australia/Sydney", 660),
    ("Australia/Lord_Howe", 660),
    ("Pacific/Auckland", 780),
    ("Pacific/Chatham", 825),
    ("Pacific/Kiritimati", 840),
    ("Pacific/Pago_Pago", -660),
    ("Pacific/Marquesas", -570),
)
LEAP_DAYS: Final = (
    ("Europe/Berlin", 60),
    ("America/New_York", -300),
    ("Asia/Kolkata", 330),
    ("Asia/Tokyo", 540),
    ("Pacific/Auckland", 780),
    ("Pacific/Kiritimati", 840),
    ("Pacific/Pago_Pago", -660),
    ("America/Santiago", -180),
    ("", 0),
    ("Africa/Cairo", 120),
)


def _ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


def _cases() -> list[tuple[str, int, int]]:
    """Zone, Unix ms, and the minutes ahead of UTC then."""
    found = []
    for zone, moment, before, after in CHANGES:
        found += [(zone, _ms(moment) - 1, before), (zone, _ms(moment), after)]
    for zone, ahead in NEW_YEARS:
        for year in (2024, 2025):
            midnight = _ms(f"{year}-01-01") - ahead * MINUTE_MS
            found += [(zone, midnight - 1, ahead), (zone, midnight, ahead)]
    for zone, ahead in LEAP_DAYS:
        for day in ("2024-02-29", "2024-03-01", "2025-03-01"):
            midnight = _ms(day) - ahead * MINUTE_MS
            found += [(zone, midnight - 1, ahead), (zone, midnight, ahead)]
    return found


CASES: Final = _cases()


def _event(profile_id: str, zone: str, at_ms: int) -> list[Event]:
    return play(f"{profile_id}-e", at_ms, "m", 0, profile_id=profile_id, time_zone=zone)


def test_every_boundary_falls_on_the_day_that_the_wall_shows() -> None:
    events = [
        event
        for place, (zone, at_ms, _) in enumerate(CASES)
        for event in _event(f"p{place:03d}", zone, at_ms)
    ]
    stories = counted(events, [movie("m")])
    assert len(CASES) >= 200
    assert not any(story.disagreeing for story in stories.values())
    found = {whose: facts_of(recap) for whose, recap in recaps(stories).items()}
    for place, (zone, at_ms, ahead) in enumerate(CASES):
        wall = dt.datetime.fromtimestamp(at_ms / 1000 + ahead * 60, dt.UTC)
        case = (zone, at_ms)
        assert (case, found[f"p{place:03d}"]["edges.first.date"]) == (case, str(wall.date()))


@pytest.mark.parametrize(("zone", "ahead"), NEW_YEARS)
def test_a_year_begins_and_ends_at_the_viewers_midnights(zone: str, ahead: int) -> None:
    begin = _ms("2024-01-01") - ahead * MINUTE_MS
    end = _ms("2025-01-01") - ahead * MINUTE_MS
    moments = (begin - MINUTE_MS, begin, end - MINUTE_MS, end)
    events = [
        event
        for place, at_ms in enumerate(moments)
        for event in play(f"e{place}", at_ms - 3 * MINUTE_MS, "m", 3, time_zone=zone)[1:]
    ]
    recap = recap_of(events, [movie("m")], Period.of_year(2024))
    # What was watched is of the moment that says so: the two in the middle.
    assert facts_of(recap)["minutes.total"] == 6


@pytest.mark.parametrize("hour", range(24))
def test_the_night_is_from_22_until_before_5_on_the_wall(hour: int) -> None:
    at_ms = _ms(f"2024-07-01T{hour:02d}:00") - 330 * MINUTE_MS
    events = play("e", at_ms - 10 * MINUTE_MS, "m", 10, time_zone="Asia/Kolkata")
    found = facts_of(recap_of(events, [movie("m")]))
    assert found["night.percent"] == (100 if hour >= 22 or hour < 5 else 0)


def test_who_moves_over_the_date_line_sees_a_day_twice() -> None:
    # 31 December in Kiritimati, then, 20 hours later, again 31 December in Pago Pago.
    first = _ms("2023-12-31T08:00") - 840 * MINUTE_MS
    events = [
        *play("a", first, "m", 10, time_zone="Pacific/Kiritimati"),
        *play("b", first + 20 * 60 * MINUTE_MS, "m", 10, time_zone="Pacific/Pago_Pago"),
    ]
    found = facts_of(recap_of(events, [movie("m")], Period.of_year(2023)))
    assert (found["minutes.total"], found["minutes.days"]) == (20, 1)
