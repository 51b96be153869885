"""Made titles: one with a value in every field, and a catalogue for quizzes."""

import datetime as dt

from libs.domain.title import LicenceWindow, Person, Title, TitleKind

# No field has its default, and the text has what files and messages may trip over.
FULL_TITLE = Title(
    title_id="t-full",
    kind=TitleKind.EPISODE,
    name="Ça commence",
    synopsis="A first\nday.",
    parent_id="s1",
    season_number=1,
    episode_number=2,
    duration_ms=1_800_000,
    release_date=dt.date(1927, 1, 10),
    language="fr",
    country="FR",
    people=(Person("Ada", "director"), Person("Ben", "")),
    maturity_years=12,
    genres=("drama",),
    tags=("slow", "rain"),
    licence_windows=(LicenceWindow("FR", 0, 5), LicenceWindow("", 7, 0)),
)

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
