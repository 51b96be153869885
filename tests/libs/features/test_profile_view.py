from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event, EventKind, Rating, Thumb, ThumbDirection
from libs.domain.title import Title, TitleKind
from libs.features.catalogue_columns import from_titles
from libs.features.profile_state import EMPTY, replay
from libs.features.profile_view import decayed, resolve, seen_rows, taste_history
from libs.features.title_record import SIGHT_TTL_MS
from tests.made_events import START_MS, event_lists, impression, watch

TITLES = (
    Title("title0", TitleKind.MOVIE, "M"),
    Title("title1", TitleKind.EPISODE, "E", parent_id="title2"),
    Title("title2", TitleKind.SERIES, "S"),
    Title("title3", TitleKind.EXTRA, "X", parent_id="title0"),
)
COLUMNS = from_titles(TITLES, ("title0", "title2"))

one_profile = event_lists(profile_count=1, title_count=4)


def thumb(event_id: str, at_ms: int, direction: ThumbDirection, title_id: str = "title0") -> Event:
    return Event(
        event_id,
        "profile0",
        EventKind.THUMB,
        at_ms,
        title_id=title_id,
        detail=Thumb(direction),
    )


def rating(event_id: str, at_ms: int, value: float, title_id: str = "title0") -> Event:
    return Event(
        event_id,
        "profile0",
        EventKind.RATING,
        at_ms,
        title_id=title_id,
        detail=Rating(value, 5.0),
    )


@given(one_profile)
def test_episodes_count_as_if_their_events_named_the_series(some: list[Event]) -> None:
    renamed = [
        replace(event, title_id="title2") if event.title_id == "title1" else event for event in some
    ]
    found = resolve(replay(some), COLUMNS)
    wanted = resolve(replay(renamed), COLUMNS)
    assert found.rows.tolist() == wanted.rows.tolist()
    at_ms = START_MS + 100 * DAY_MS
    np.testing.assert_allclose(decayed(found, at_ms), decayed(wanted, at_ms), rtol=1e-9)
    for name in (
        "last_ms",
        "last_sequence",
        "last_tie",
        "shown_ms",
        "completed_ms",
        "rating",
        "thumb",
        "is_listed",
    ):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), name)


@given(one_profile, st.integers(START_MS + 90 * DAY_MS, START_MS + 200 * DAY_MS))
def test_a_taste_history_is_newest_first_with_positive_weights(
    some: list[Event], at_ms: int
) -> None:
    view = resolve(replay(some), COLUMNS)
    rows, weights = taste_history(view, at_ms)
    assert rows.dtype == np.int32
    assert weights.dtype == np.float32
    assert len(set(rows.tolist())) == len(rows) == len(weights)
    assert (weights > 0).all()
    last_ms = dict(zip(view.rows.tolist(), view.last_ms.tolist(), strict=True))
    times = [last_ms[row] for row in rows.tolist()]
    assert times == sorted(times, reverse=True)
    disliked = view.rows[view.thumb < 0].tolist()
    assert not set(disliked) & set(rows.tolist())


def test_no_history_is_an_empty_view() -> None:
    view = resolve(EMPTY, COLUMNS)
    rows, weights = taste_history(view, START_MS)
    assert len(view.rows) == len(rows) == len(weights) == len(seen_rows(view)) == 0


def test_an_extra_counts_for_nothing() -> None:
    assert len(resolve(replay([watch("a", START_MS, title_id="title3")]), COLUMNS).rows) == 0


def test_what_was_only_shown_is_neither_taste_nor_seen() -> None:
    view = resolve(replay([impression("a", START_MS)]), COLUMNS)
    assert view.rows.tolist() == [0]
    assert len(taste_history(view, START_MS)[0]) == 0
    assert len(seen_rows(view)) == 0


def test_the_raw_records_keep_their_own_titles() -> None:
    events = [
        watch("a", START_MS, title_id="title2"),
        watch("b", START_MS, title_id="title1"),
        watch("c", START_MS, title_id="title0"),
    ]
    view = resolve(replay(events), COLUMNS)
    assert view.record_rows.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "liked", [thumb("b", START_MS, ThumbDirection.UP), rating("b", START_MS, 4.0)]
)
def test_a_like_weighs_more(liked: Event) -> None:
    watched = [watch("a", START_MS)]
    plain = taste_history(resolve(replay(watched), COLUMNS), START_MS)[1]
    more = taste_history(resolve(replay([*watched, liked]), COLUMNS), START_MS)[1]
    assert more[0] > plain[0]


def test_a_thumb_down_takes_a_title_out_and_makes_it_seen() -> None:
    down = [watch("a", START_MS), thumb("b", START_MS, ThumbDirection.DOWN)]
    view = resolve(replay(down), COLUMNS)
    assert len(taste_history(view, START_MS)[0]) == 0
    assert seen_rows(view).tolist() == [0]
    retracted = [*down, thumb("c", START_MS + 1, ThumbDirection.RETRACTED)]
    assert len(taste_history(resolve(replay(retracted), COLUMNS), START_MS)[0]) == 1


def test_weights_fade_with_time() -> None:
    view = resolve(replay([watch("a", START_MS)]), COLUMNS)
    weights = [taste_history(view, START_MS + days * DAY_MS)[1][0] for days in (0, 30, 300)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > weights[2]


def test_only_the_newest_titles_are_taken() -> None:
    titles = [Title(f"m{number}", TitleKind.MOVIE, "M") for number in range(5)]
    columns = from_titles(titles, tuple(title.title_id for title in titles))
    events = [watch(f"e{number}", START_MS + number, title_id=f"m{number}") for number in range(5)]
    rows, _ = taste_history(resolve(replay(events), columns), START_MS, most=2)
    assert rows.tolist() == [4, 3]


def test_the_first_viewing_is_the_oldest_of_any_episode() -> None:
    events = [
        impression("i", START_MS - 9),
        watch("a", START_MS + 7, title_id="title1"),
        watch("b", START_MS + 5, title_id="title2"),
    ]
    view = resolve(replay(events), COLUMNS)
    assert dict(zip(view.rows.tolist(), view.first_ms.tolist(), strict=True)) == {
        0: 0,
        1: START_MS + 5,
    }


def test_sights_of_long_ago_have_expired_though_they_are_stored() -> None:
    view = resolve(replay([impression("i", START_MS), watch("a", START_MS)]), COLUMNS)
    before, after = START_MS + SIGHT_TTL_MS, START_MS + SIGHT_TTL_MS + DAY_MS
    assert decayed(view, int(before))[0, 2] > 0
    assert decayed(view, int(after))[0, 2] == 0
    assert decayed(view, int(after))[0, 0] > 0  # a taste fades, but does not expire
