from hypothesis import given

from libs.domain.event import EVENT_SCHEMA_VERSION, Attribution, Event, Recording
from libs.storage.event_row import COLUMN_COUNT, EVENT_COLUMNS, decode, encode
from tests.made_events import events

RECORDED_MS = 1_750_000_000_000


@given(events())
def test_an_event_survives_its_row(event: Event) -> None:
    row = encode(event, None, RECORDED_MS)
    assert len(row) == COLUMN_COUNT
    found = decode(row[: EVENT_COLUMNS.count(",") + 1])
    assert found == event
    assert found.recording == Recording(RECORDED_MS, EVENT_SCHEMA_VERSION)


@given(events())
def test_what_a_decision_said_is_part_of_the_row(event: Event) -> None:
    said = Attribution("explore", 0.25, "v1", "v2", "arm")
    assert decode(encode(event, said, RECORDED_MS)).attribution == said
