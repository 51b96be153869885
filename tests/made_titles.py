"""A made catalogue for quizzes: titles with genres, years, lengths and, if wanted, moods."""

import datetime as dt

from libs.domain.title import Title, TitleKind

GENRES = ("Action", "Comedy", "Documentary", "Drama", "Fantasy", "Horror", "Romance")
MOODS = ("mood:dark", "mood:funny", "mood:moving")
ENERGIES = ("energy:calm", "energy:intense")


def make_title(place: int, *, with_moods: bool = True) -> Title:
    """Genres, moods and years that go round at different speeds; each ninth is a series."""
    is_series = place % 9 == 8
    tags = (MOODS[place % len(MOODS)], ENERGIES[place // 3 % len(ENERGIES)], "theme:heist")
    return Title(
        title_id=f"t{place:04d}",
        kind=TitleKind.SERIES if is_series else TitleKind.MOVIE,
        name=f"Title {place}",
        duration_ms=0 if is_series else (70 + place * 7 % 80) * 60_000,
        release_date=dt.date(1960 + place * 11 % 60, 1, 1),
        genres=(GENRES[place % len(GENRES)],),
        tags=tags if with_moods else (),
    )


def make_titles(count: int, *, with_moods: bool = True) -> tuple[Title, ...]:
    """So many of them."""
    return tuple(make_title(place, with_moods=with_moods) for place in range(count))
