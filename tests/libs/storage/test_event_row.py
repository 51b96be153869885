from hypothesis import given

from libs.domain.event import Attribution, Event
from libs.storage.event_row import COLUMN_COUNT, EVENT_COLUMNS, decode, encode
from tests.made_events import events


@given(events())
def test_an_event_survives_its_row(event: Event) -> None:
    row = encode(event, None)
    assert len(row) == COLUMN_COUNT
    assert decode(row[: EVENT_COLUMNS.count(",") + 1]) == event


@given(events())
def test_what_a_decision_said_is_part_of_the_row(event: Event) -> None:
    said = Attribution("explore", 0.25, "v1")
    assert decode(encode(event, said)).attribution == said
