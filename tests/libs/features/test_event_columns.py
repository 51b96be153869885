import numpy as np
from hypothesis import given

from libs.domain.event import Event
from libs.features.engagement import engagement
from libs.features.event_columns import between, from_events
from tests.made_events import event_lists


@given(event_lists())
def test_columns_are_the_events_in_order(some: list[Event]) -> None:
    columns = from_events(some)
    ordered = sorted(some, key=lambda event: event.order)
    assert len(columns) == len(some)
    assert columns.occurred_ms.tolist() == [event.occurred_ms for event in ordered]
    assert [columns.title_ids[i] for i in columns.title] == [event.title_id for event in ordered]
    assert columns.engagement.tolist() == [engagement(event) for event in ordered]
    assert list(columns.profile_ids) == sorted({event.profile_id for event in some})
    countries = [columns.countries[i] if i >= 0 else "" for i in columns.country]
    assert countries == [event.context.country for event in ordered]


@given(event_lists())
def test_a_part_has_the_same_ids(some: list[Event]) -> None:
    columns = from_events(some)
    part = between(columns, 1, 3)
    assert part.title_ids == columns.title_ids
    np.testing.assert_array_equal(part.kind, columns.kind[1:3])
    assert len(part) == len(columns.kind[1:3])
