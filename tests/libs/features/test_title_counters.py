import numpy as np
import pytest
from hypothesis import given

from libs.domain.event import DAY_MS, Event, EventKind
from libs.features.event_columns import from_events
from libs.features.title_counters import (
    TITLE_COUNTER_COUNT,
    TITLE_COUNTER_NAMES,
    TITLE_HALF_LIVES_MS,
    counted,
    increments,
    sums,
)
from tests.made_events import START_MS, assert_close, event_lists, impression, watch


def named(values: np.ndarray) -> dict[str, float]:
    found = dict(zip(TITLE_COUNTER_NAMES, values.tolist(), strict=True))
    return {name: value for name, value in found.items() if value}


def test_an_impression_counts_as_one_sight() -> None:
    added = increments(impression("a", START_MS))
    assert added is not None
    assert named(added) == {"impressions_7d": 1.0}


def test_a_play_counts_as_a_start_and_as_what_was_watched() -> None:
    added = increments(watch("a", START_MS, kind=EventKind.PLAY))
    assert added is not None
    found = named(added)
    assert found.pop("starts_7d") == found.pop("starts_30d") == 1.0
    assert set(found.values()) == {0.5}
    assert sum(name.startswith("engagement_30d_daypart") for name in found) == 1
    assert not any("_tv" in name for name in found)


def test_an_event_of_no_weight_changes_nothing() -> None:
    assert increments(watch("a", START_MS, from_ms=5_000, kind=EventKind.PAUSE)) is None


def test_there_is_a_half_life_for_every_counter() -> None:
    assert len(TITLE_COUNTER_NAMES) == len(set(TITLE_COUNTER_NAMES)) == TITLE_COUNTER_COUNT == 24
    assert TITLE_HALF_LIVES_MS.shape == (TITLE_COUNTER_COUNT,)


@given(event_lists())
def test_sums_are_the_decayed_increments_one_by_one(some: list[Event]) -> None:
    # A thumb undoes the one before; what thumbs add is in test_thumbs.py.
    some = [event for event in some if event.kind is not EventKind.THUMB]
    columns = from_events(some)
    to_ms = max((event.occurred_ms for event in some), default=0) + DAY_MS
    found = sums(columns, columns.title.astype(np.intp), 2, np.array([to_ms, to_ms]))
    wanted = np.zeros((2, TITLE_COUNTER_COUNT))
    changing = 0
    for event in sorted(some, key=lambda event: event.order):
        added = increments(event)
        if added is not None:
            changing += 1
            row = columns.title_ids.index(event.title_id)
            wanted[row] += added * 0.5 ** ((to_ms - event.occurred_ms) / TITLE_HALF_LIVES_MS)
    assert_close(found, wanted)
    assert counted(columns).sum() == changing


def test_no_rows_give_no_sums() -> None:
    none = from_events([])
    assert sums(none, np.zeros(0, np.intp), 0, np.zeros(0, np.int64)).shape == (0, 24)
    assert named(np.zeros(24)) == pytest.approx({})
