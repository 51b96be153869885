from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event, EventKind
from libs.domain.title import Title, TitleKind
from libs.domain.viewing import Device
from libs.features.catalogue_columns import from_titles
from libs.features.credit import credited_rows
from libs.features.profile_state import replay
from libs.features.profile_view import resolve
from libs.features.title_block import title_block
from libs.features.title_table import EMPTY as NO_COUNTERS
from libs.features.traits import DISCOVERER_NOVELTY, Persona, Traits, habits, persona, traits
from tests.made_events import START_MS, event_lists, watch

GENRES = ("crime", "crime", "crime", "comedy", "drama", "horror")
TITLES = [
    Title(f"title{place}", TitleKind.MOVIE, "M", genres=(genre,))
    for place, genre in enumerate(GENRES)
]
COLUMNS = from_titles(TITLES, tuple(title.title_id for title in TITLES))
BLOCK = title_block(COLUMNS, credited_rows(NO_COUNTERS, COLUMNS.credit, ""))


def traits_of(events: list[Event], at_ms: int = START_MS + 30 * DAY_MS) -> Traits:
    state = replay(events)
    return traits(
        resolve(state, COLUMNS),
        state.counters,
        BLOCK.genre_weights,
        at_ms,
    )


def played(titles: tuple[int, ...], to_ms: int = 10_000, every_ms: int = DAY_MS) -> list[Event]:
    """One whole play, or a part of it, of each title after the other."""
    return [
        watch(
            f"{place}-{kind.name}",
            START_MS + place * every_ms + (kind is EventKind.STOP),
            title_id=f"title{title}",
            to_ms=to_ms if kind is EventKind.STOP else 0,
            kind=kind,
        )
        for place, title in enumerate(titles)
        for kind in (EventKind.PLAY, EventKind.STOP)
    ]


def test_more_of_the_same_is_less_novel_than_always_something_else() -> None:
    same, other = traits_of(played((0, 1, 2))), traits_of(played((0, 3, 4, 5)))
    assert same.novelty < traits_of([]).novelty < other.novelty


def test_titles_seen_to_their_end_are_completed_and_those_left_early_abandoned() -> None:
    finished, left = traits_of(played((0, 1, 2))), traits_of(played((0, 1, 2), to_ms=1_000))
    assert finished.completion > left.completion
    assert left.abandonment > finished.abandonment


def test_what_was_begun_yesterday_is_not_abandoned_yet() -> None:
    begun = played((0,), to_ms=1_000)
    soon, late = traits_of(begun, START_MS + DAY_MS), traits_of(begun, START_MS + 3 * DAY_MS)
    assert soon.abandonment < late.abandonment


def test_viewings_a_week_are_those_since_the_first() -> None:
    daily = traits_of(played(tuple(range(6)) * 4), START_MS + 24 * DAY_MS)
    assert daily.viewings_a_week == pytest.approx(7, rel=0.1)
    assert traits_of([]).viewings_a_week == 0


def test_a_persona_is_by_frequency_first_and_then_by_novelty() -> None:
    assert persona(1.0, 0.5) is Persona.OCCASIONAL
    assert persona(DISCOVERER_NOVELTY, 5.0) is Persona.DISCOVERER
    assert persona(0.1, 5.0) is Persona.FOCUSED
    assert traits_of([]).persona is Persona.OCCASIONAL


def test_habits_are_shares_of_what_was_watched_by_device_and_time() -> None:
    evening = START_MS // DAY_MS * DAY_MS + 20 * 3_600_000
    weekday = int(evening // DAY_MS + 3) % 7 < 5  # the first day of 1970 was a Thursday
    found = habits(replay([watch("a", evening), watch("b", evening)]).counters, evening)
    assert found.devices[Device.UNSPECIFIED] == pytest.approx(1)
    assert found.dayparts[3 if weekday else 7] == pytest.approx(1)
    assert sum(found.devices) == pytest.approx(sum(found.dayparts))
    assert sum(habits(replay([]).counters, evening).devices) == 0


@given(event_lists(profile_count=1, title_count=6), st.randoms(use_true_random=False))
def test_traits_depend_on_the_set_of_events_alone(some: list[Event], random: Random) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    found = traits_of(shuffled)
    assert found == traits_of(some)
    for share in (found.novelty, found.completion, found.abandonment):
        assert 0 <= share <= 1
