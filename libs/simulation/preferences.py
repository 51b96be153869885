"""What each title is worth to one profile, by week, moment and device, in nats."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.profile import Profile
from libs.domain.title import KIDS_MATURITY_YEARS, TitleKind
from libs.domain.viewing import Device
from libs.simulation.catalogue import Catalogue
from libs.simulation.config import DAY_MS, SimulationConfig
from libs.simulation.geography import COUNTRIES, COUNTRY_ROW
from libs.simulation.tastes import DAYPARTS, DEVICES, Taste
from libs.simulation.traits import MINUTE_MS, Traits
from libs.simulation.words import GENRES

# The one strength that sets taste against popularity.
TASTE_STRENGTH: Final = 20.0
_FOLLOWED_PERSON: Final = 1.2
_FOREIGN_LANGUAGE: Final = -2.0
_HOME_COUNTRY: Final = 0.8
# Liking: logistic in the match with the interest and in the quality.
_LIKE_MATCH: Final = 6.0
_LIKE_NEEDED_MATCH: Final = 0.30
_LIKE_QUALITY: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ContextEffects:
    """What device and daypart do to all viewers."""

    by_device: NDArray[np.float64]  # (devices, n)
    by_daypart: NDArray[np.float64]  # (DAYPARTS, n)


@dataclass(frozen=True, slots=True, eq=False)
class Preferences:
    """One profile beside the n titles that can be recommended; w weeks, k interests."""

    start_ms: int
    taste: Taste
    appeal: NDArray[np.float64]  # (days + 1, n)
    effects: ContextEffects
    match: NDArray[np.float64]  # (w, k, n) cosine of interest and title
    lasting: NDArray[np.float64]  # (n,) language, country and followed people
    like_odds: NDArray[np.float64]  # (n,) log odds of liking, apart from the match
    is_suitable: NDArray[np.bool_]  # (n,) maturity and kids
    opens_ms: NDArray[np.int64]  # (n,) licence in the country
    closes_ms: NDArray[np.int64]  # (n,)

    def week(self, at_ms: int) -> int:
        """The row of `match` at a time; the last one holds after the simulated days."""
        return min(max(at_ms - self.start_ms, 0) // (7 * DAY_MS), len(self.match) - 1)

    def appeal_at(self, at_ms: int) -> NDArray[np.float64]:
        """(n,): what draws everybody on that day."""
        return np.asarray(
            self.appeal[min(max(at_ms - self.start_ms, 0) // DAY_MS, len(self.appeal) - 1)]
        )

    def is_available(self, at_ms: int) -> NDArray[np.bool_]:
        """(n,): licensed at that time and suitable."""
        return np.asarray(
            self.is_suitable & (self.opens_ms <= at_ms) & (at_ms < self.closes_ms), np.bool_
        )

    def may_play(self, row: int, at_ms: int) -> bool:
        """Whether one title is licensed at that time; a page may be older than the play."""
        return bool(self.is_suitable[row] and self.opens_ms[row] <= at_ms < self.closes_ms[row])

    def utilities(
        self, at_ms: int, interest: int, device: int, daypart: int
    ) -> NDArray[np.float64]:
        """(n,): worth of each title in a session about one interest; -inf if not available.

        `device` is a row of DEVICES.
        """
        worth: NDArray[np.float64] = (
            TASTE_STRENGTH * self.match[self.week(at_ms), interest] + self.lasting
        )
        worth += self.appeal_at(at_ms)
        worth += self.effects.by_device[device]
        worth += self.effects.by_daypart[daypart]
        worth[~self.is_available(at_ms)] = -np.inf
        return worth

    def like_probabilities(self, at_ms: int, interest: int) -> NDArray[np.float64]:
        """(n,): probability of liking a title once it starts."""
        match = self.match[self.week(at_ms), interest] - _LIKE_NEEDED_MATCH
        return np.asarray(1.0 / (1.0 + np.exp(-_LIKE_MATCH * match - self.like_odds)))


def prepare_preferences(
    config: SimulationConfig,
    catalogue: Catalogue,
    effects: ContextEffects,
    profile: Profile,
    taste: Taste,
    country: str,
) -> Preferences:
    """Hold a profile's truth, while it is in `country`, against every title."""
    traits = catalogue.traits
    place = COUNTRY_ROW[country]
    spoken = np.array([c.languages[0] in profile.languages for c in COUNTRIES])
    knows_language = spoken[traits.country]
    followed = np.isin(traits.people, taste.person_rows).sum(axis=1)
    limit = 21 if profile.maturity_limit_years is None else profile.maturity_limit_years
    if profile.kids:
        limit = min(limit, KIDS_MATURITY_YEARS)
    return Preferences(
        start_ms=config.start_ms,
        taste=taste,
        appeal=traits.appeal,
        effects=effects,
        match=taste.interests @ traits.vectors.T,
        lasting=_FOLLOWED_PERSON * followed
        + _FOREIGN_LANGUAGE * ~knows_language
        + _HOME_COUNTRY * (traits.country == place),
        like_odds=_LIKE_QUALITY * traits.quality - 0.4 * ~knows_language,
        is_suitable=traits.maturity_years <= limit,
        opens_ms=catalogue.opens_ms[place],
        closes_ms=catalogue.closes_ms[place],
    )


_GENRE_BY_DAYPART: Final = {
    "Horror": (1.0, -1.0, -0.8, 0.6, 1.0, -1.0, -0.6, 0.7),
    "Thriller": (0.5, -0.5, -0.3, 0.4, 0.5, -0.5, -0.2, 0.4),
    "Family": (-0.8, 0.2, 0.4, -0.1, -0.8, 0.6, 0.7, 0.2),
    "Animation": (-0.4, 0.4, 0.3, -0.2, -0.4, 0.8, 0.4, -0.1),
    "Documentary": (-0.2, 0.6, 0.2, -0.1, -0.2, 0.5, 0.3, -0.2),
    "Comedy": (0.2, 0.1, 0.1, 0.3, 0.2, 0.0, 0.1, 0.1),
    "Romance": (0.0, -0.2, 0.0, 0.2, 0.0, 0.0, 0.3, 0.4),
}


def context_effects(traits: Traits) -> ContextEffects:
    """Phones want short things, the television in the evening wants movies, nights want horror."""
    is_movie = (traits.kind == TitleKind.MOVIE).astype(np.float64)
    is_series = (traits.kind == TitleKind.SERIES).astype(np.float64)
    is_live = (traits.kind == TitleKind.LIVE).astype(np.float64)
    hours_over = np.clip(traits.duration_ms / MINUTE_MS - 45, -30, 60) / 60
    small = {
        Device.PHONE: 0.5 * is_series - 1.4 * hours_over,
        Device.TABLET: 0.3 * is_series - 0.5 * hours_over,
        Device.COMPUTER: 0.1 * is_series - 0.2 * hours_over,
        Device.CONSOLE: 0.2 * is_series,
        Device.TV: 0.4 * is_movie + 0.6 * is_live + 0.3 * hours_over,
    }
    by_genre = np.zeros((DAYPARTS, len(GENRES)))
    for row, genre in enumerate(GENRES):
        by_genre[:, row] = _GENRE_BY_DAYPART.get(genre.name, (0.0,) * DAYPARTS)
    by_daypart = by_genre[:, traits.genres[:, 0]]
    by_daypart[[3, 6, 7]] += np.outer([0.4, 0.3, 0.7], is_movie)
    by_daypart[[1, 2]] += np.outer([0.4, 0.3], is_series)
    return ContextEffects(np.stack([small[device] for device in DEVICES]), by_daypart)
