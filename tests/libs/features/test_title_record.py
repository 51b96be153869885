from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event, EventKind, Rating, Thumb, ThumbDirection
from libs.features.intervals import EMPTY, unite
from libs.features.title_record import TITLE_RECORD, TitleFold, fold
from tests.made_events import DECAYED_FIELDS, START_MS, event_lists, impression, watch

one_title = event_lists(profile_count=1, title_count=1)


@given(one_title, st.randoms(use_true_random=False), st.integers(0, 12))
def test_the_record_depends_on_the_set_of_events_alone(
    some: list[Event], random: Random, cut: int
) -> None:
    wanted, wanted_intervals = fold(None, EMPTY, some)
    shuffled = list(some)
    random.shuffle(shuffled)
    half = fold(None, EMPTY, shuffled[:cut])
    found, intervals = fold(*half, shuffled[cut:])
    np.testing.assert_array_equal(intervals, wanted_intervals)
    for name in TITLE_RECORD.names or ():
        if name in DECAYED_FIELDS:
            np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, atol=1e-250)
        else:
            np.testing.assert_array_equal(found[name], wanted[name], name)


@given(one_title)
def test_the_record_measures_the_union_of_what_was_watched(some: list[Event]) -> None:
    record, intervals = fold(None, EMPTY, some)
    np.testing.assert_array_equal(unite(EMPTY, intervals), intervals)
    assert record["watched_ms"] == (intervals[:, 1] - intervals[:, 0]).sum()
    assert record["prefix_ms"] <= intervals.max(initial=0)


def test_bytes_and_numpy_agree_on_the_layout() -> None:
    data = TitleFold().encode_record()
    assert len(data) == TITLE_RECORD.itemsize
    record = np.frombuffer(data, TITLE_RECORD)[0]
    assert np.isnan(record["rating"])
    assert all(record[name] == 0 for name in TITLE_RECORD.names or () if name != "rating")


def test_counters_decay_to_the_newest_event() -> None:
    some = [impression("a", START_MS), impression("b", START_MS + 14 * DAY_MS)]
    record, _ = fold(None, EMPTY, some)
    assert record["impressions"] == pytest.approx(1.5)
    assert record["counters_ms"] == record["shown_ms"] == START_MS + 14 * DAY_MS
    ratings = [
        Event(name, "p", EventKind.RATING, START_MS + days * DAY_MS, title_id="t", detail=stars)
        for name, days, stars in (("c", 0, Rating(1, 5)), ("d", 90, Rating(4, 5)))
    ]
    record, _ = fold(None, EMPTY, ratings)
    assert record["engagement"] == pytest.approx(1.5)
    assert record["rating"] == 0.8


def test_the_newest_event_writes_a_register_even_when_it_arrives_first() -> None:
    up = Event("up", "p", EventKind.THUMB, START_MS, title_id="t", detail=Thumb(ThumbDirection.UP))
    back = Event(
        "back",
        "p",
        EventKind.THUMB,
        START_MS,
        sequence=1,
        title_id="t",
        detail=Thumb(ThumbDirection.RETRACTED),
    )
    record, _ = fold(None, EMPTY, [back, up])
    assert record["thumb"] == 0
    assert record["thumb_sequence"] == 1


def test_where_playback_was_left_is_what_the_newest_event_says() -> None:
    record, intervals = fold(
        None,
        EMPTY,
        [
            watch("a", START_MS, from_ms=0, to_ms=4_000, kind=EventKind.PLAY),
            watch("c", START_MS + 2, from_ms=8_000, to_ms=9_000, kind=EventKind.STOP),
            watch("b", START_MS + 1, from_ms=4_000, to_ms=8_000, kind=EventKind.SEEK),
        ],
    )
    assert intervals.tolist() == [[0, 4_000], [8_000, 9_000]]
    assert record["position_ms"] == 9_000
    assert record["prefix_ms"] == 4_000
    assert record["watched_ms"] == 5_000
    assert record["starts"] == pytest.approx(1.0)
    assert record["last_ms"] == START_MS + 2
