import dataclasses

import numpy as np
from hypothesis import given

from libs.domain.event import Event, EventKind, Rating, Thumb, ThumbDirection
from libs.domain.title import Title, TitleKind
from libs.features.catalogue_columns import from_titles
from libs.features.event_columns import from_events
from libs.features.profile_state import replay
from libs.features.profile_view import resolve, seen_rows
from tests.made_events import START_MS, event_lists, impression, watch
from training.cuts import Cut
from training.labels import known_rows, relevant_rows, row_of_titles, watching

CUT = Cut(START_MS, 1000)
ROW_OF = {"movie": 0, "series": 1, "episode1": 1, "episode2": 1, "other": 2}


def labels(*events: Event) -> dict[str, list[int]]:
    columns = from_events(events)
    found = relevant_rows(columns, row_of_titles(columns, ROW_OF), 3, CUT)
    return {columns.profile_ids[index]: rows.tolist() for index, rows in found.items()}


def thumb(event_id: str, at_ms: int, direction: ThumbDirection) -> Event:
    return Event(
        event_id,
        "profile0",
        EventKind.THUMB,
        at_ms,
        title_id="movie",
        detail=Thumb(direction),
    )


def test_half_a_viewing_in_sum_is_relevant() -> None:
    less = watch("a", START_MS, title_id="movie", to_ms=4_000)
    assert labels(less) == {}
    more = watch("b", START_MS + 1, title_id="movie", from_ms=4_000, to_ms=5_000)
    assert labels(less, more) == {"profile0": [0]}


def test_episodes_add_up_for_their_series() -> None:
    events = [
        watch("a", START_MS, title_id="episode1", to_ms=3_000),
        watch("b", START_MS + 1, title_id="episode2", to_ms=3_000),
    ]
    assert labels(*events) == {"profile0": [1]}


def test_only_the_window_counts_and_its_end_is_outside() -> None:
    assert labels(watch("a", CUT.end_ms, title_id="movie")) == {}
    assert labels(watch("a", CUT.end_ms - 1, title_id="movie")) == {"profile0": [0]}


def test_what_was_played_before_is_not_new() -> None:
    before = watch("a", START_MS - 1, title_id="episode1", to_ms=1)
    inside = watch("b", START_MS, title_id="episode2")
    assert labels(before, inside) == {}


def test_what_was_only_shown_before_is_new() -> None:
    shown = impression("a", START_MS - 1, title_id="movie")
    assert labels(shown, watch("b", START_MS, title_id="movie")) == {"profile0": [0]}


def test_opinions_count_whatever_was_watched() -> None:
    assert labels(thumb("a", START_MS, ThumbDirection.UP)) == {"profile0": [0]}
    assert labels(thumb("a", START_MS, ThumbDirection.DOWN)) == {}
    rated = Event(
        "a", "profile0", EventKind.RATING, START_MS, title_id="movie", detail=Rating(1, 5)
    )
    assert labels(rated) == {"profile0": [0]}


def test_titles_without_a_row_and_other_profiles_are_kept_apart() -> None:
    events = [
        watch("a", START_MS, title_id="unknown"),
        watch("b", START_MS, title_id="other", profile_id="profile1"),
        watch("c", START_MS, title_id="movie", profile_id="profile2"),
    ]
    assert labels(*events) == {"profile1": [2], "profile2": [0]}


def test_what_was_disliked_before_is_not_new_until_that_is_taken_back() -> None:
    down, taken_back = (
        thumb("a", START_MS - 2, ThumbDirection.DOWN),
        thumb("b", START_MS - 1, ThumbDirection.RETRACTED),
    )
    inside = watch("c", START_MS, title_id="movie")
    assert labels(down, inside) == {}
    assert labels(down, taken_back, inside) == {"profile0": [0]}


@given(event_lists(title_count=3))
def test_known_rows_of_the_log_are_the_seen_rows_of_the_profiles(events: list[Event]) -> None:
    # One event a millisecond: which of two at the same time is the newer is not the point here.
    events = [
        dataclasses.replace(event, occurred_ms=START_MS - 100 + place, sequence=0)
        for place, event in enumerate(events)
    ]
    catalogue = tuple(Title(f"title{row}", TitleKind.MOVIE, "A film") for row in range(3))
    columns = from_titles(catalogue, tuple(title.title_id for title in catalogue))
    log = from_events(events)
    title_rows = row_of_titles(log, columns.credit.row_of)
    known = known_rows(log, title_rows, len(catalogue), CUT)
    for index, profile_id in enumerate(log.profile_ids):
        of_profile = [event for event in events if event.profile_id == profile_id]
        seen = seen_rows(resolve(replay(of_profile), columns))
        assert known.get(index, np.empty(0)).tolist() == seen.tolist()


def test_known_rows_are_what_was_played_or_rated_before() -> None:
    columns = from_events(
        [
            watch("a", START_MS - 1, title_id="episode1", to_ms=1),
            impression("b", START_MS - 1, title_id="movie"),
            watch("c", START_MS, title_id="other"),
        ]
    )
    known = known_rows(columns, row_of_titles(columns, ROW_OF), 3, CUT)
    assert {index: rows.tolist() for index, rows in known.items()} == {0: [1]}


def test_watching_sums_engagement_by_row_and_time() -> None:
    columns = from_events(
        [
            watch("a", START_MS - 5, title_id="movie"),
            watch("b", START_MS, title_id="episode1"),
            watch("c", START_MS + 1, title_id="episode2"),
            watch("d", START_MS + 9, title_id="other"),
        ]
    )
    found = watching(columns, row_of_titles(columns, ROW_OF), 3, START_MS - 5, START_MS + 9)
    np.testing.assert_allclose(found, [0.5, 1.0, 0.0])
