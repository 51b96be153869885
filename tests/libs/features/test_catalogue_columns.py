from datetime import date

import numpy as np
import pytest

from libs.domain.title import LicenceWindow, Title, TitleKind
from libs.features.catalogue_columns import (
    ERA_COUNT,
    FIRST_DECADE,
    UNKNOWN_KIND,
    from_titles,
    is_available,
    is_recommendable,
    recommendable_ids,
)

AT_MS = 1_700_000_000_000
DAY_MS = 86_400_000


def movie(title_id: str, *windows: LicenceWindow, maturity_years: int = 0) -> Title:
    return Title(
        title_id,
        TitleKind.MOVIE,
        title_id,
        maturity_years=maturity_years,
        licence_windows=windows,
    )


TITLES = (
    Title("series", TitleKind.SERIES, "S", genres=("drama", "crime"), language="da"),
    Title("episode", TitleKind.EPISODE, "E", parent_id="series", season_number=1, episode_number=2),
    Title("extra", TitleKind.EXTRA, "X", parent_id="movie"),
    Title("live", TitleKind.LIVE, "L"),
    Title("movie", TitleKind.MOVIE, "M", genres=("crime",), language="en", duration_ms=60_000),
)


def test_only_what_people_start_from_a_page_is_recommendable() -> None:
    assert recommendable_ids(TITLES) == ("live", "movie", "series")
    columns = from_titles(TITLES, ("series", "episode", "extra", "live", "movie", "deleted"))
    assert is_recommendable(columns).tolist() == [True, False, False, True, True, False]


def test_columns_follow_the_rows_that_are_asked_for() -> None:
    columns = from_titles(TITLES, ("movie", "deleted", "episode", "series"))
    assert columns.known.tolist() == [True, False, True, True]
    assert columns.kind.tolist() == [
        TitleKind.MOVIE,
        UNKNOWN_KIND,
        TitleKind.EPISODE,
        TitleKind.SERIES,
    ]
    assert columns.parent_row.tolist() == [-1, -1, 3, -1]
    assert columns.season.tolist() == [0, 0, 1, 0]
    assert columns.duration_ms.tolist() == [60_000, 0, 0, 0]
    assert [columns.languages[code] for code in columns.language] == ["en", "", "", "da"]
    assert columns.genre_names == ("crime", "drama")
    assert columns.genres.tolist() == [[1, 0], [0, 0], [0, 0], [1, 1]]


def test_an_empty_catalogue_has_empty_columns() -> None:
    columns = from_titles((), ())
    assert is_available(columns, "DE", AT_MS, None, False).shape == (0,)


@pytest.mark.parametrize(
    ("window", "country", "at_ms", "expected"),
    [
        (LicenceWindow(), "DE", AT_MS, True),
        (LicenceWindow("DE"), "DE", AT_MS, True),
        (LicenceWindow("DE"), "FR", AT_MS, False),
        (LicenceWindow("DE"), "", AT_MS, False),
        (LicenceWindow("", AT_MS), "FR", AT_MS, True),
        (LicenceWindow("", AT_MS), "FR", AT_MS - 1, False),
        (LicenceWindow("", 0, AT_MS), "FR", AT_MS - 1, True),
        (LicenceWindow("", 0, AT_MS), "FR", AT_MS, False),
    ],
)
def test_a_licence_window_opens_one_country_from_start_until_before_end(
    window: LicenceWindow, country: str, at_ms: int, expected: bool
) -> None:
    columns = from_titles([movie("m", window)], ("m",))
    assert is_available(columns, country, at_ms, None, False).tolist() == [expected]


def test_any_open_window_is_enough_and_none_at_all_means_everywhere() -> None:
    titles = [movie("a", LicenceWindow("FR"), LicenceWindow("DE", 0, 5)), movie("b")]
    columns = from_titles(titles, ("a", "b"))
    assert is_available(columns, "FR", AT_MS, None, False).tolist() == [True, True]
    assert is_available(columns, "DE", AT_MS, None, False).tolist() == [False, True]
    assert is_available(columns, "DE", 4, None, False).tolist() == [True, True]


def test_maturity_and_kids_hide_what_is_for_older_viewers() -> None:
    columns = from_titles(
        [
            movie("a", maturity_years=0),
            movie("b", maturity_years=12),
            movie("c", maturity_years=18),
        ],
        ("a", "b", "c"),
    )
    assert is_available(columns, "", AT_MS, 12, False).tolist() == [True, True, False]
    assert is_available(columns, "", AT_MS, None, True).tolist() == [True, False, False]
    assert is_available(columns, "", AT_MS, 18, True).tolist() == [True, False, False]


def test_a_title_is_not_available_before_its_release() -> None:
    title = Title("m", TitleKind.MOVIE, "M", release_date=date(2023, 11, 15))
    columns = from_titles([title], ("m",))
    release_ms = int(columns.release_ms[0])
    assert not is_available(columns, "", release_ms - 1, None, False)[0]
    assert is_available(columns, "", release_ms, None, False)[0]


def test_a_title_gone_from_the_catalogue_is_never_available() -> None:
    columns = from_titles([movie("a")], ("a", "gone"))
    assert is_available(columns, "DE", AT_MS, None, False).tolist() == [True, False]


def test_answers_do_not_share_memory() -> None:
    columns = from_titles([movie("a")], ("a",))
    is_available(columns, "DE", AT_MS, None, False)[:] = False
    assert np.all(is_available(columns, "DE", AT_MS, None, False))


def test_eras_are_decades_and_what_is_not_known_is_none() -> None:
    titles = [
        Title(f"{year}", TitleKind.MOVIE, "M", release_date=date(year, 5, 1))
        for year in (1999, 2000, 2009, 1880, 2999)
    ]
    eras = from_titles(titles, ("1999", "2000", "2009", "1880", "2999", "gone")).era
    assert eras[1] == eras[2] == eras[0] + 1
    assert FIRST_DECADE + 10 * (int(eras[0]) - 1) == 1990
    assert eras[3] == 1
    assert eras[4] == ERA_COUNT - 1
    assert eras[5] == 0
