"""The hidden truth about each title: what it is about, how good it is, how it draws over time."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import TitleKind
from libs.simulation.config import SimulationConfig
from libs.simulation.geography import COUNTRIES
from libs.simulation.latent import LatentSpace, directions
from libs.simulation.words import GENRES

MINUTE_MS: Final = 60_000
MOST_TAGS: Final = 6
PEOPLE_PER_TITLE: Final = 4

_KIND_SHARES: Final = {TitleKind.MOVIE: 0.67, TitleKind.SERIES: 0.315, TitleKind.LIVE: 0.015}
_RELEASED_IN_WINDOW: Final = 0.09
_RELEASED_LATER: Final = 0.02
_FRESHNESS_DAYS: Final = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """Truth of n titles that can be recommended; d is the dimensions of the hidden space."""

    kind: NDArray[np.int64]  # (n,) TitleKind
    genres: NDArray[np.int64]  # (n, 2) the second is -1 where there is one only
    tags: NDArray[np.int64]  # (n, MOST_TAGS) -1 after the last
    people: NDArray[np.int64]  # (n, PEOPLE_PER_TITLE) the first directs
    vectors: NDArray[np.float64]  # (n, d) unit length; part of it no metadata tells
    quality: NDArray[np.float64]  # (n,) about standard normal; what decides liking
    appeal: NDArray[np.float64]  # (days + 1, n) what draws everybody, in nats, by day
    country: NDArray[np.int64]  # (n,) row of COUNTRIES
    maturity_years: NDArray[np.int64]  # (n,)
    duration_ms: NDArray[np.int64]  # (n,) of an episode where the title is a series
    age_days: NDArray[np.int64]  # (n,) days from release to until; negative: not released yet


def draw_traits(config: SimulationConfig, space: LatentSpace, rng: np.random.Generator) -> Traits:
    """Draw the truth of `config.title_count` titles."""
    n = config.title_count
    kind = _spread(n, np.array(list(_KIND_SHARES)), np.array(list(_KIND_SHARES.values())), rng)
    shares = np.array([genre.share for genre in GENRES])
    genre = _spread(n, np.arange(len(GENRES)), shares / shares.sum(), rng)
    themes = directions(space.genres[genre] + 0.9 * directions(_noise(n, space, rng)))
    second = _second_genres(genre, themes, space, rng)
    tags = _tags(genre, themes, space, rng)
    people = _people(genre, space, rng)

    tag_sum = (space.tags[tags] * (tags >= 0)[..., None]).sum(axis=1)
    vectors = directions(
        0.8 * space.genres[genre]
        + 0.35 * space.genres[second] * (second >= 0)[:, None]
        + 0.9 * directions(tag_sum)
        + 0.35 * directions(space.people[people].sum(axis=1))
        + 0.45 * directions(_noise(n, space, rng))
    )
    quality = rng.standard_normal(n)
    age_days = _age_days(config, rng)
    title_shares = np.array([country.title_share for country in COUNTRIES])
    return Traits(
        kind=kind,
        genres=np.stack([genre, second], axis=1),
        tags=tags,
        people=people,
        vectors=vectors,
        quality=quality,
        appeal=_appeal(config, quality, age_days, rng),
        country=rng.choice(len(COUNTRIES), n, p=title_shares / title_shares.sum()),
        maturity_years=_maturity(genre, rng),
        duration_ms=_durations(kind, genre, rng),
        age_days=age_days,
    )


def _spread(
    n: int, values: NDArray[np.int64], shares: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """`n` values in just the given shares, shuffled: small worlds get some of each as well."""
    places = (np.arange(n) + 0.5) / n
    chosen = values[np.searchsorted(np.cumsum(shares) / shares.sum(), places)]
    return rng.permutation(chosen).astype(np.int64)


def _noise(n: int, space: LatentSpace, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.standard_normal((n, space.genres.shape[1]))


def _gumbel_order(
    scores: NDArray[np.float64], rng: np.random.Generator, most: int
) -> NDArray[np.int64]:
    """For each row of (n, k), `most` columns drawn without replacement by softmax(scores)."""
    return np.argsort(-(scores + rng.gumbel(size=scores.shape)), axis=1)[:, :most]


def _second_genres(
    genre: NDArray[np.int64],
    themes: NDArray[np.float64],
    space: LatentSpace,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    scores = 5.0 * themes @ space.genres.T
    scores[np.arange(len(genre)), genre] = -np.inf
    second = _gumbel_order(scores, rng, 1)[:, 0]
    return np.where(rng.random(len(genre)) < 0.55, second, -1)


def _tags(
    genre: NDArray[np.int64],
    themes: NDArray[np.float64],
    space: LatentSpace,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    scores = 4.0 * themes @ space.tags.T + 3.0 * space.tag_genres[:, genre].T
    tags = _gumbel_order(scores, rng, MOST_TAGS)
    counts = rng.integers(3, MOST_TAGS + 1, len(genre))
    return np.where(np.arange(MOST_TAGS) < counts[:, None], tags, -1)


def _people(
    genre: NDArray[np.int64], space: LatentSpace, rng: np.random.Generator
) -> NDArray[np.int64]:
    fame = rng.exponential(0.8, len(space.person_names))
    scores = fame + 2.5 * (space.person_genre == genre[:, None])
    return _gumbel_order(scores, rng, PEOPLE_PER_TITLE)


def _age_days(config: SimulationConfig, rng: np.random.Generator) -> NDArray[np.int64]:
    n = config.title_count
    older = config.days + np.minimum(rng.lognormal(7.0, 1.0, n), 18_000)
    places = rng.random(n)
    ages = np.where(places < _RELEASED_IN_WINDOW, rng.uniform(0, config.days, n), older)
    ages = np.where(places > 1 - _RELEASED_LATER, rng.uniform(-28, 0, n), ages)
    return np.floor(ages).astype(np.int64)


def _appeal(
    config: SimulationConfig,
    quality: NDArray[np.float64],
    age_days: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Lasting appeal + freshness that fades + waves of attention that come and go."""
    n = len(quality)
    lasting = 2.3 * rng.exponential(1.0, n) + 0.5 * quality
    days = np.arange(config.days + 1)[:, None]
    age = age_days - (config.days - days)
    fresh = rng.uniform(0.5, 1.8, n) * np.exp(-np.maximum(age, 0) / _FRESHNESS_DAYS) * (age >= 0)
    has_wave = rng.random(n) < 0.15
    centre = rng.uniform(0, config.days + 7, n)
    width = rng.uniform(3, 9, n)
    wave = has_wave * rng.uniform(0.5, 1.6, n) * np.exp(-(((days - centre) / width) ** 2))
    return np.asarray(lasting + fresh + wave, np.float64)


def _maturity(genre: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    places = rng.random(len(genre))
    limits = [GENRES[row].maturity_years for row in genre.tolist()]
    return np.array(
        [
            limit[int(place * len(limit))]
            for limit, place in zip(limits, places.tolist(), strict=True)
        ],
        np.int64,
    )


def _durations(
    kind: NDArray[np.int64], genre: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    n = len(kind)
    light = np.isin(genre, [row for row, g in enumerate(GENRES) if g.name in _LIGHT_GENRES])
    movie = np.clip(rng.normal(np.where(light, 88, 108), 16, n), 48, 190)
    episode = np.where(light, rng.choice([11, 22, 26], n), rng.choice([32, 44, 52, 58], n))
    live = rng.choice([60, 90, 120, 180], n)
    minutes = np.select([kind == TitleKind.MOVIE, kind == TitleKind.SERIES], [movie, episode], live)
    return np.round(minutes).astype(np.int64) * MINUTE_MS


_LIGHT_GENRES: Final = ("Animation", "Comedy", "Family")
