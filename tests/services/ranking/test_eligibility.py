import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.domain.event import (
    DAY_MS,
    Event,
    EventKind,
    Rating,
    Thumb,
    ThumbDirection,
    WatchedInterval,
)
from libs.domain.viewing import ViewingContext
from libs.features.catalogue_columns import CatalogueColumns, from_titles
from libs.features.profile_state import replay
from libs.features.profile_view import ProfileView, resolve
from services.ranking.eligibility import REASONS, Verdict, judge
from services.ranking.query import Audience
from tests.made_bundle import (
    ADULT,
    ELSEWHERE,
    EXPIRED,
    NOW_MS,
    SERIES,
    TITLE_COUNT,
    catalogue,
    retrieval,
)

ROW_OF = retrieval().row_of
EVERYBODY = Audience(ViewingContext(country="PT"), kids=False, maturity_limit_years=None)


@pytest.fixture(scope="module")
def columns() -> CatalogueColumns:
    return from_titles(catalogue().values(), retrieval().title_ids)


def event(number: int, kind: EventKind, title_id: str, at_ms: int, detail: object = None) -> Event:
    return Event(
        event_id=f"e{number}",
        profile_id="p",
        kind=kind,
        occurred_ms=at_ms,
        title_id=title_id,
        detail=detail,  # type: ignore[arg-type]  # each test gives the one of its kind
    )


def view_of(columns: CatalogueColumns, *events: Event) -> ProfileView:
    return resolve(replay(events), columns)


def verdict(
    columns: CatalogueColumns,
    view: ProfileView,
    audience: Audience = EVERYBODY,
    at_ms: int = NOW_MS,
) -> Verdict:
    return judge(np.arange(TITLE_COUNT, dtype=np.int32), view, columns, audience, at_ms)


def reasons(found: Verdict) -> dict[int, str]:
    return dict(zip(found.removed.tolist(), found.removed_reasons, strict=True))


@given(
    rows=st.lists(st.integers(0, TITLE_COUNT - 1), unique=True),
    rated=st.sets(st.integers(0, TITLE_COUNT - 1), max_size=20),
    kids=st.booleans(),
    country=st.sampled_from(["PT", "FR", ""]),
)
@settings(deadline=None, max_examples=60)
def test_kept_and_removed_are_the_whole_pool_in_its_order(
    columns: CatalogueColumns, rows: list[int], rated: set[int], kids: bool, country: str
) -> None:
    events = [
        event(row, EventKind.RATING, f"t{row:02d}", 1_000 + row, Rating(3, 5)) for row in rated
    ]
    audience = Audience(ViewingContext(country=country), kids, None)
    found = judge(np.array(rows, np.int32), view_of(columns, *events), columns, audience, NOW_MS)
    assert sorted([*found.kept.tolist(), *found.removed.tolist()]) == list(range(len(rows)))
    assert found.kept.tolist() == sorted(found.kept.tolist())
    assert len(found.removed) == len(found.removed_reasons)
    assert set(found.removed_reasons) <= set(REASONS)
    assert not {rows[place] for place in found.kept.tolist()} & rated


def test_everything_is_kept_for_an_adult_at_home(columns: CatalogueColumns) -> None:
    found = verdict(columns, view_of(columns))
    assert reasons(found) == {ROW_OF[EXPIRED]: "not_licensed"}


def test_another_country_does_not_see_what_is_licensed_at_home(columns: CatalogueColumns) -> None:
    abroad = Audience(ViewingContext(country="FR"), kids=False, maturity_limit_years=None)
    assert reasons(verdict(columns, view_of(columns), abroad))[ROW_OF[ELSEWHERE]] == "not_licensed"


def test_a_child_never_sees_what_is_for_adults(columns: CatalogueColumns) -> None:
    child = Audience(ViewingContext(country="PT"), kids=True, maturity_limit_years=None)
    assert reasons(verdict(columns, view_of(columns), child))[ROW_OF[ADULT]] == "kids"


def test_a_maturity_limit_holds(columns: CatalogueColumns) -> None:
    teen = Audience(ViewingContext(country="PT"), kids=False, maturity_limit_years=12)
    assert reasons(verdict(columns, view_of(columns), teen))[ROW_OF[ADULT]] == "maturity"


def test_a_thumbed_down_title_is_away_until_the_thumb_is_taken_back(
    columns: CatalogueColumns,
) -> None:
    down = event(1, EventKind.THUMB, "t03", 1_000, Thumb(ThumbDirection.DOWN))
    back = event(2, EventKind.THUMB, "t03", 2_000, Thumb(ThumbDirection.RETRACTED))
    assert reasons(verdict(columns, view_of(columns, down)))[3] == "thumbed_down"
    assert 3 not in reasons(verdict(columns, view_of(columns, down, back)))


def test_a_rated_title_never_comes_back(columns: CatalogueColumns) -> None:
    long_ago = event(1, EventKind.RATING, "t03", 1_000, Rating(5, 5))
    assert reasons(verdict(columns, view_of(columns, long_ago)))[3] == "rated"


@pytest.mark.parametrize(
    ("watched_ms", "age_days", "is_away"),
    [
        (6_000_000, 1, True),
        (660_000, 1, True),  # eleven minutes
        (120_000, 1, False),  # given up after two
        (6_000_000, 366, False),
    ],
)
def test_a_film_that_was_watched_stays_away_for_a_year(
    columns: CatalogueColumns, watched_ms: int, age_days: int, is_away: bool
) -> None:
    stop = event(
        1,
        EventKind.STOP,
        "t03",
        NOW_MS - age_days * DAY_MS,
        WatchedInterval(0, watched_ms, 6_000_000),
    )
    found = reasons(verdict(columns, view_of(columns, stop)))
    assert (found.get(3) == "watched_recently") is is_away


def test_an_episode_counts_for_its_series(columns: CatalogueColumns) -> None:
    done = event(1, EventKind.COMPLETE, "e1", NOW_MS - 1, WatchedInterval(0, 1_800_000, 1_800_000))
    assert reasons(verdict(columns, view_of(columns, done)))[ROW_OF[SERIES]] == "watched_recently"


def test_a_title_that_left_the_catalogue_is_not_shown() -> None:
    titles = catalogue()
    del titles["t04"]
    columns = from_titles(titles.values(), retrieval().title_ids)
    assert reasons(verdict(columns, view_of(columns)))[4] == "not_recommendable"
