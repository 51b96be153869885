import dataclasses

import polars as pl
import pytest
from hypothesis import given

from libs.domain.event import Event, Recording
from libs.faults import InvalidField
from libs.features.watched_days import watched_days
from libs.storage.history_row import history_row
from services.events.columns_codec import columns_message
from services.recap.history_columns import HistoryPage
from services.recap.year.history import COUNTED_KINDS, of_events
from tests.made_events import event_lists


def _recorded(events: list[Event]) -> list[Event]:
    """As the log tells those of one profile: newest first."""
    own = [
        dataclasses.replace(event, profile_id="p", recording=Recording(event.occurred_ms, 1))
        for event in events
    ]
    return sorted(own, key=lambda event: event.order, reverse=True)


@given(event_lists())
def test_columns_make_the_table_that_the_events_make(events: list[Event]) -> None:
    own = _recorded(events)
    page = HistoryPage.of("p", columns_message([history_row(event) for event in own]))
    counted = page.frame().filter(pl.col("kind").is_in(COUNTED_KINDS))
    wanted = of_events(own)
    assert counted.schema == wanted.schema
    assert counted.rows() == wanted.rows()


@given(event_lists())
def test_columns_make_the_days_that_the_events_make(events: list[Event]) -> None:
    own = _recorded(events)
    page = HistoryPage.of("p", columns_message([history_row(event) for event in own]))
    assert watched_days(page.events()) == watched_days(own)


def test_columns_of_wrong_lengths_are_refused() -> None:
    message = columns_message([])
    message.event_ids.append("e")
    with pytest.raises(InvalidField, match="must have 1 values"):
        HistoryPage.of("p", message)
    message = columns_message([])
    message.kind = b"abc"
    with pytest.raises(InvalidField, match="multiple of 4"):
        HistoryPage.of("p", message)
