import numpy as np

from libs.domain.event import Event, EventKind, Rating
from libs.features.event_columns import EventColumns, from_events
from tests.made_events import START_MS
from training.opinions import Opinions, opinions


def rated(profile_id: str, title_id: str, stars: float, *, at_ms: int = 0) -> Event:
    return Event(
        event_id=f"{profile_id}:{title_id}:{at_ms}",
        profile_id=profile_id,
        kind=EventKind.RATING,
        occurred_ms=START_MS + at_ms,
        sequence=at_ms,
        title_id=title_id,
        detail=Rating(stars, 5.0),
    )


def of_events(*events: Event, without: tuple[str, ...] = ()) -> tuple[EventColumns, Opinions]:
    columns = from_events(events)
    rows = np.array([int(title_id[1:]) for title_id in columns.title_ids], dtype=np.int32)
    return columns, opinions(columns, rows, 10, without=without)


def test_what_was_rated_was_watched_and_what_was_rated_well_is_liked() -> None:
    _, known = of_events(rated("a", "t3", 5), rated("a", "t1", 2), rated("b", "t3", 4))
    np.testing.assert_array_equal(known.starts, [0, 2, 3])
    np.testing.assert_array_equal(known.rows, [1, 3, 3])
    np.testing.assert_array_equal(known.is_liked, [False, True, True])


def test_the_newest_opinion_holds() -> None:
    _, known = of_events(rated("a", "t3", 5), rated("a", "t3", 1, at_ms=9))
    np.testing.assert_array_equal(known.rows, [3])
    np.testing.assert_array_equal(known.is_liked, [False])


def test_those_left_out_have_no_part_in_it() -> None:
    events = (rated("a", "t3", 5), rated("b", "t4", 5), rated("c", "t5", 5))
    _, known = of_events(*events, without=("b",))
    np.testing.assert_array_equal(known.rows, [3, 5])


def test_named_profiles_come_in_their_order_also_those_without_events() -> None:
    columns, _ = of_events(rated("a", "t3", 5), rated("b", "t4", 5))
    rows = np.array([3, 4], dtype=np.int32)
    known = opinions(columns, rows, 10, ("b", "nobody", "a"))
    np.testing.assert_array_equal(known.starts, [0, 1, 1, 2])
    np.testing.assert_array_equal(known.rows, [4, 3])


def test_halves_are_disjoint_and_whole() -> None:
    events = [rated("a", f"t{place}", 5 if place % 2 else 2) for place in range(7)]
    _, known = of_events(*events)
    seen, liked, other = known.halves(np.array([0]), np.random.default_rng(1))
    assert seen.sum() == 3
    assert other.sum() == 4
    np.testing.assert_array_equal((seen + other)[0, :7], 1)
    assert np.all(liked <= seen)
    np.testing.assert_array_equal(np.flatnonzero(liked[0]) % 2, 1)


def test_of_some_rows_only_those_are_left() -> None:
    _, known = of_events(rated("a", "t3", 5), rated("a", "t1", 2), rated("b", "t3", 4))
    kept = known.of_rows(np.array([3, 9]))
    np.testing.assert_array_equal(kept.starts, [0, 1, 2])
    np.testing.assert_array_equal(kept.rows, [0, 0])
    assert kept.row_count == 2
