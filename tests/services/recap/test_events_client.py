from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import Event
from libs.features.watched_days import watched_days
from services.recap.events_client import without
from tests.made_events import event_lists


@given(event_lists(), st.data())
def test_days_without_those_of_some_events_are_days_of_the_others(
    events: list[Event], data: st.DataObject
) -> None:
    kept = [event for event in events if data.draw(st.booleans())]
    gone = [event for event in events if event not in kept]
    found = {
        (day.day, day.title_id): (day.watched_ms, day.hours_ms, day.play_count, day.complete_count)
        for day in without(watched_days(events), watched_days(kept))
    }
    wanted = {
        (day.day, day.title_id): (day.watched_ms, day.hours_ms, day.play_count, day.complete_count)
        for day in watched_days(gone)
        if day.play_count or day.complete_count or day.watched_ms or day.rating_count
    }
    assert found == wanted
