from dataclasses import replace
from datetime import UTC, datetime

from libs.domain.viewing import ViewingContext
from libs.features.daypart import daypart, event_daypart
from tests.made_events import watch

FRIDAY_EVENING = datetime(2023, 11, 17, 21, 30, tzinfo=UTC)


def test_quarters_of_the_day_and_weekends_are_told_apart() -> None:
    assert daypart(FRIDAY_EVENING) == 3
    assert daypart(datetime(2023, 11, 18, 5, 59, tzinfo=UTC)) == 4
    assert daypart(datetime(2023, 11, 20, 0, 0, tzinfo=UTC)) == 0


def test_an_event_is_read_by_its_own_clock() -> None:
    event = watch("a", int(FRIDAY_EVENING.timestamp() * 1000))
    assert event_daypart(event) == 3
    far_east = replace(event, context=ViewingContext(time_zone="Pacific/Auckland"))
    assert event_daypart(far_east) == 5
