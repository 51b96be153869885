from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event
from libs.domain.title import Title, TitleKind
from libs.features.catalogue_columns import from_titles
from libs.features.profile_state import replay
from libs.features.profile_view import resolve
from libs.features.session import SESSION_GAP_MS, Session, current_session
from tests.made_events import START_MS, event_lists, impression, watch

ROWS = ("title0", "title1", "title2")
COLUMNS = from_titles([Title(one, TitleKind.MOVIE, one) for one in ROWS], ROWS)
MINUTE_MS = 60_000


def session_at(events: list[Event], at_ms: int) -> Session | None:
    return current_session(resolve(replay(events), COLUMNS), at_ms)


def test_a_session_goes_back_to_the_last_gap() -> None:
    session = session_at(
        [
            watch("a", START_MS, title_id="title0"),
            impression("b", START_MS + 40 * MINUTE_MS, title_id="title1"),
            watch("c", START_MS + 60 * MINUTE_MS, title_id="title2"),
        ],
        START_MS + 70 * MINUTE_MS,
    )
    assert session is not None
    assert session.started_ms == START_MS + 40 * MINUTE_MS
    assert session.newest_ms == START_MS + 60 * MINUTE_MS
    assert session.played.tolist() == [2]
    assert session.ignored.tolist() == [1]


def test_a_session_that_is_over_is_none_whatever_is_stored() -> None:
    events = [watch("a", START_MS)]
    assert session_at(events, START_MS + SESSION_GAP_MS) is not None
    assert session_at(events, START_MS + SESSION_GAP_MS + 1) is None
    assert session_at([], START_MS) is None


def test_a_session_lasts_half_a_day_at_most() -> None:
    events = [watch(f"{place}", START_MS + place * 20 * MINUTE_MS) for place in range(3)]
    events += [
        impression(f"i{place}", START_MS + place * 20 * MINUTE_MS, title_id="title1")
        for place in range(80)
    ]
    session = session_at(events, START_MS + 80 * 20 * MINUTE_MS)
    assert session is not None
    assert session.ignored.tolist() == [1]
    assert session.played.tolist() == []


@given(
    event_lists(profile_count=1, title_count=3),
    st.randoms(use_true_random=False),
    st.integers(START_MS, START_MS + 2 * DAY_MS),
)
def test_a_session_depends_on_the_set_of_events_alone(
    some: list[Event], random: Random, at_ms: int
) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    found, wanted = session_at(shuffled, at_ms), session_at(some, at_ms)
    assert (found is None) == (wanted is None)
    if found is not None and wanted is not None:
        assert (found.started_ms, found.newest_ms) == (wanted.started_ms, wanted.newest_ms)
        np.testing.assert_array_equal(found.played, wanted.played)
        np.testing.assert_array_equal(found.ignored, wanted.ignored)
