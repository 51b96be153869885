from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event, EventKind, Thumb, ThumbDirection
from libs.domain.title import Person, Title, TitleKind
from libs.features.catalogue_columns import from_titles
from libs.features.profile_state import replay
from libs.features.profile_view import resolve
from libs.features.tastes import Tastes, tastes
from tests.made_events import START_MS, event_lists, impression, watch

AT_MS = START_MS + 100 * DAY_MS
TITLES = (
    Title(
        "title0",
        TitleKind.MOVIE,
        "M",
        genres=("crime",),
        tags=("rain", "slow"),
        people=(Person("Ada", "director"),),
        language="de",
        country="DE",
        release_date=date(1994, 5, 1),
    ),
    Title("title1", TitleKind.MOVIE, "N", genres=("comedy",), tags=("slow",), language="fr"),
    Title("title2", TitleKind.MOVIE, "O", tags=("rain",), people=(Person("Ada"),)),
)
COLUMNS = from_titles(TITLES, tuple(title.title_id for title in TITLES))


def tastes_of(events: list[Event], at_ms: int = AT_MS) -> Tastes:
    return tastes(resolve(replay(events), COLUMNS), COLUMNS, at_ms)


def test_what_was_watched_speaks_for_all_that_it_is() -> None:
    found = tastes_of([watch("a", AT_MS - DAY_MS, to_ms=10_000)])
    assert found.genres == (("crime", 1.0),)
    assert [name for name, _ in found.tags] == ["rain", "slow"]
    assert [name for name, _ in found.people] == ["Ada"]
    assert found.languages == (("de", 1.0),)
    assert found.countries == (("DE", 1.0),)
    assert found.eras == (("1990s", 1.0),)


def test_the_newer_counts_for_more() -> None:
    found = tastes_of(
        [
            watch("a", AT_MS - 300 * DAY_MS, to_ms=10_000),
            watch("b", AT_MS - DAY_MS, title_id="title1", to_ms=10_000),
        ]
    )
    assert [name for name, _ in found.genres] == ["comedy", "crime"]
    assert sum(share for _, share in found.genres) == pytest.approx(1)


def test_a_thumb_down_takes_a_title_out_and_one_taken_back_restores_it() -> None:
    def thumb(event_id: str, day: int, direction: ThumbDirection) -> Event:
        return Event(
            event_id, "profile0", EventKind.THUMB, START_MS + day * DAY_MS,
            title_id="title0", detail=Thumb(direction),
        )  # fmt: skip

    before = [watch("a", START_MS, to_ms=10_000)]
    down = [*before, thumb("b", 1, ThumbDirection.DOWN)]
    assert tastes_of(before).genres
    assert tastes_of(down).genres == ()
    assert tastes_of([*down, thumb("c", 2, ThumbDirection.RETRACTED)]) == tastes_of(before)


def test_genres_that_are_passed_by_tire_and_recover() -> None:
    shown = [impression(f"{place}", START_MS + place) for place in range(20)]
    soon, later = (tastes_of(shown, START_MS + days * DAY_MS) for days in (1, 30))
    (name, share), *_ = soon.ignored_genres
    assert name == "crime"
    assert share > later.ignored_genres[0].share > 0.2
    # Sights of long ago have expired.
    assert tastes_of(shown, START_MS + 200 * DAY_MS).ignored_genres == ()


def test_without_history_there_is_no_taste() -> None:
    assert tastes_of([]) == Tastes((), (), (), (), (), (), ())


@given(event_lists(profile_count=1, title_count=3), st.randoms(use_true_random=False))
def test_tastes_depend_on_the_set_of_events_alone(some: list[Event], random: Random) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    assert tastes_of(shuffled) == tastes_of(some)
