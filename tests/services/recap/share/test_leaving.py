"""Which titles may leave."""

import dataclasses

import pytest

from libs.domain.title import Person, Title, TitleKind
from services.recap.share.leaving import Leaving

FILM = Title("f", TitleKind.MOVIE, "A film", maturity_years=12, genres=("Drama",))
SERIES = Title("s", TitleKind.SERIES, "A series", maturity_years=12)
EPISODE = Title("e", TitleKind.EPISODE, "An episode", parent_id="s", maturity_years=12)


def leaving(*titles: Title, hidden: frozenset[str] = frozenset()) -> Leaving:
    return Leaving({title.title_id: title for title in titles}, hidden)


@pytest.mark.parametrize(
    ("maturity_years", "leaves"),
    [(0, False), (6, False), (7, False), (8, True), (17, True), (18, False), (21, False)],
)
def test_neither_childrens_nor_mature_titles_leave(maturity_years: int, *, leaves: bool) -> None:
    title = dataclasses.replace(FILM, maturity_years=maturity_years)
    assert (leaving(title).title_name("f") is not None) is leaves


def test_hidden_and_unknown_titles_do_not_leave() -> None:
    assert leaving(FILM).title_name("f") == "A film"
    assert leaving(FILM, hidden=frozenset({"f"})).title_name("f") is None
    assert leaving(FILM).title_name("gone") is None


def test_an_episode_goes_with_its_series() -> None:
    assert leaving(SERIES, EPISODE).title_name("e") == "An episode"
    assert leaving(SERIES, EPISODE, hidden=frozenset({"s"})).title_name("e") is None
    mature = dataclasses.replace(SERIES, maturity_years=18)
    assert leaving(mature, EPISODE).title_name("e") is None
    assert leaving(EPISODE).title_name("e") is None


def test_names_that_only_other_titles_have_do_not_leave() -> None:
    adult = dataclasses.replace(
        FILM,
        title_id="a",
        maturity_years=18,
        genres=("Drama", "Erotic"),
        people=(Person("Ona"),),
    )
    rules = leaving(dataclasses.replace(FILM, people=(Person("Ida"),)), adult)
    assert (rules.genre_name("Drama"), rules.genre_name("Erotic")) == ("Drama", None)
    assert (rules.person_name("Ida"), rules.person_name("Ona")) == ("Ida", None)
