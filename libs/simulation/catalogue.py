"""The catalogue: invented titles as domain values, beside the truth that made them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import LicenceWindow, Person, Title, TitleKind
from libs.simulation.config import SimulationConfig, Stream
from libs.simulation.geography import COUNTRIES, COUNTRY_ROW, PLACES
from libs.simulation.latent import LatentSpace, build_latent_space
from libs.simulation.licences import draw_licences
from libs.simulation.moods import Moods, draw_moods
from libs.simulation.text import NameBook, episode_synopsis, synopsis
from libs.simulation.traits import MINUTE_MS, Traits, draw_traits
from libs.simulation.words import GENRES, TAGS

NEVER_MS: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class EpisodeRef:
    """What it takes to play one episode."""

    title_id: str
    duration_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """`titles` holds the n that can be recommended first, in row order, then their children."""

    titles: tuple[Title, ...]
    title_ids: tuple[str, ...]  # (n,) by row
    episodes: tuple[tuple[EpisodeRef, ...], ...]  # (n,) in watching order; empty: no series
    space: LatentSpace
    traits: Traits
    moods: Moods
    row_of: Mapping[str, int]  # by title id, of the n
    opens_ms: NDArray[np.int64]  # (places, n) licence start; NEVER_MS: not licensed there
    closes_ms: NDArray[np.int64]  # (places, n) licence end, exclusive; NEVER_MS: open


def build_catalogue(config: SimulationConfig) -> Catalogue:
    """Make the catalogue of a configuration."""
    rng = config.rng(Stream.CATALOGUE)
    space = build_latent_space(config)
    traits = draw_traits(config, space, rng)
    licences = draw_licences(config, traits, rng)
    moods = draw_moods(config, space, traits)

    text_rng = config.rng(Stream.TEXT)
    names = NameBook()
    parents = [
        _title(config, row, traits, space, moods, licences[row], names, text_rng)
        for row in range(config.title_count)
    ]
    children: list[Title] = []
    episodes: list[tuple[EpisodeRef, ...]] = []
    for row, parent in enumerate(parents):
        seasons = _episodes(row, parent, traits, text_rng)
        episodes.append(tuple(EpisodeRef(e.title_id, e.duration_ms) for e in seasons))
        children += seasons + _extras(parent, text_rng)
    opens, closes = _window_arrays(parents)
    return Catalogue(
        titles=(*parents, *children),
        title_ids=tuple(title.title_id for title in parents),
        episodes=tuple(episodes),
        space=space,
        traits=traits,
        moods=moods,
        row_of={title.title_id: row for row, title in enumerate(parents)},
        opens_ms=opens,
        closes_ms=closes,
    )


def _title(
    config: SimulationConfig,
    row: int,
    traits: Traits,
    space: LatentSpace,
    moods: Moods,
    licences: tuple[LicenceWindow, ...],
    names: NameBook,
    rng: np.random.Generator,
) -> Title:
    genres, tags = _present(traits.genres[row]), _present(traits.tags[row])
    kind = TitleKind(int(traits.kind[row]))
    country = COUNTRIES[int(traits.country[row])]
    people = [space.person_names[person] for person in traits.people[row].tolist()]
    return Title(
        title_id=f"t{row:06d}",
        kind=kind,
        name=names.name(genres[0], rng),
        synopsis=synopsis(genres, tags, rng),
        duration_ms=0 if kind is TitleKind.SERIES else int(traits.duration_ms[row]),
        release_date=release_date(config, int(traits.age_days[row])),
        language=country.languages[0],
        country=country.code,
        people=(Person(people[0], "director"), *(Person(name) for name in people[1:])),
        maturity_years=int(traits.maturity_years[row]),
        genres=tuple(GENRES[genre].name for genre in genres),
        tags=(*(TAGS[tag].name for tag in tags), *moods.tags[row]),
        licence_windows=licences,
    )


def release_date(config: SimulationConfig, age_days: int) -> date:
    """The UTC day that lies `age_days` before until_ms."""
    until = datetime.fromtimestamp(config.until_ms / 1000, UTC).date()
    return until - timedelta(days=age_days)


def _present(rows: NDArray[np.int64]) -> list[int]:
    return [row for row in rows.tolist() if row >= 0]


def _episodes(row: int, parent: Title, traits: Traits, rng: np.random.Generator) -> list[Title]:
    """One to three seasons of four to eight episodes; empty where the title is no series."""
    if parent.kind is not TitleKind.SERIES:
        return []
    genre, tags = int(traits.genres[row, 0]), _present(traits.tags[row])
    per_season, episode_ms = int(rng.integers(4, 9)), int(traits.duration_ms[row])
    return [
        Title(
            title_id=f"{parent.title_id}-s{season}e{number:02d}",
            kind=TitleKind.EPISODE,
            name=f"{parent.name}: {season}x{number:02d}",
            synopsis=episode_synopsis(genre, tags, rng),
            parent_id=parent.title_id,
            season_number=season,
            episode_number=number,
            duration_ms=episode_ms + int(rng.integers(-2, 3)) * MINUTE_MS,
            release_date=parent.release_date,
            language=parent.language,
            country=parent.country,
            people=parent.people[:2],
            maturity_years=parent.maturity_years,
            genres=parent.genres,
            tags=parent.tags[:2],
            licence_windows=parent.licence_windows,
        )
        for season in range(1, int(rng.integers(1, 4)) + 1)
        for number in range(1, per_season + 1)
    ]


def _extras(parent: Title, rng: np.random.Generator) -> list[Title]:
    """One title in ten has something from behind the scenes."""
    if parent.kind is TitleKind.LIVE or rng.random() >= 0.1:
        return []
    return [
        Title(
            title_id=f"{parent.title_id}-x1",
            kind=TitleKind.EXTRA,
            name=f"{parent.name}: behind the scenes",
            synopsis=f"How {parent.name} was made, told by {parent.people[0].name}.",
            parent_id=parent.title_id,
            duration_ms=int(rng.integers(5, 25)) * MINUTE_MS,
            release_date=parent.release_date,
            language=parent.language,
            country=parent.country,
            people=parent.people[:1],
            maturity_years=parent.maturity_years,
            genres=parent.genres,
            tags=parent.tags[:2],
            licence_windows=parent.licence_windows,
        )
    ]


def _window_arrays(titles: list[Title]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Licence windows as (places, n) starts and ends; a title has one a country at most."""
    opens = np.full((len(PLACES), len(titles)), NEVER_MS, np.int64)
    closes = np.full((len(PLACES), len(titles)), NEVER_MS, np.int64)
    for row, title in enumerate(titles):
        for window in title.licence_windows or (LicenceWindow(),):
            places = [COUNTRY_ROW[window.country]] if window.country else slice(None)
            opens[places, row] = window.start_ms
            closes[places, row] = window.end_ms or NEVER_MS
    return opens, closes
