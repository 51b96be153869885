import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event, EventKind
from libs.features.watched_days import watched_days
from libs.storage.compaction import FIRST
from libs.storage.memory_event_store import MemoryEventStore
from services.recap.events_client import EventsClient, without
from tests.made_events import START_MS, event_lists, watch
from tests.services.events.made_service import served

NOW_MS = START_MS + 200 * DAY_MS
# The midnight after the fifth of ten days with an event each.
UNTIL_MS = START_MS // DAY_MS * DAY_MS + 5 * DAY_MS


@pytest.mark.parametrize("cutoff_ms", [UNTIL_MS, UNTIL_MS + 2 * DAY_MS, UNTIL_MS + 4 * DAY_MS])
async def test_no_day_is_made_of_what_happened_after_the_time_asked_for(cutoff_ms: int) -> None:
    store = MemoryEventStore()
    events = [watch(f"e{n}", START_MS + n * DAY_MS, title_id="m") for n in range(10)]
    store.record_events("default", events, NOW_MS)
    store.compact(UNTIL_MS, FIRST)
    async with served(store, NOW_MS) as channel:
        held = await EventsClient(channel).held(
            "default", "profile0", kinds=tuple(EventKind), until_ms=cutoff_ms, timeout_s=5
        )
    assert [one.last_ms for one in held.days] == [event.occurred_ms for event in events[:5]]


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
