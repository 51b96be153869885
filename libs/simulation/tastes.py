"""The hidden truth about each profile: interests that drift, habits, activity."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.profile import Profile
from libs.domain.viewing import Device
from libs.simulation.config import SimulationConfig
from libs.simulation.latent import LatentSpace, directions
from libs.simulation.words import GENRES

DAYPARTS: Final = 8  # 4 quarters of a weekday, then 4 of a weekend day
SESSIONS_PER_DAY: Final = 0.5
_ACTIVITY_SPREAD: Final = 0.55  # of the logarithm: the busiest tenth has over a fifth of the pages
_INTERESTS: Final = (2, 4)
_WEIGHT_DRIFT: Final = 0.35
_DIRECTION_DRIFT: Final = 0.10
_NEW_INTEREST_SHARE: Final = 0.03  # per interest and week
_CHURN_SHARE: Final = 0.18
_NEWCOMER_SHARE: Final = 0.10

_KIDS_GENRES: Final = ("Animation", "Family")
# Sessions by quarter of the day (from 0, 6, 12, 18 o'clock), on weekdays and on weekends.
_DAYPART_SHARES: Final = (0.06, 0.10, 0.22, 0.62, 0.08, 0.18, 0.32, 0.42)
_KIDS_DAYPART_SHARES: Final = (0.0, 0.22, 0.60, 0.18, 0.0, 0.42, 0.45, 0.13)
# How much each device is used by quarter of the day, before a profile's own habits.
_DEVICE_QUARTERS: Final = {
    Device.TV: (0.8, 0.5, 0.9, 2.2),
    Device.PHONE: (1.2, 2.0, 1.2, 0.6),
    Device.TABLET: (1.0, 0.8, 1.0, 0.8),
    Device.COMPUTER: (1.0, 0.8, 1.1, 0.7),
    Device.CONSOLE: (0.6, 0.3, 0.7, 0.7),
}
DEVICES: Final = tuple(_DEVICE_QUARTERS)
_DEVICE_SHARES: Final = (0.45, 0.25, 0.12, 0.12, 0.06)


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """Truth of one profile; w weeks, k interests, d dimensions of the hidden space."""

    interests: NDArray[np.float64]  # (w, k, d) unit length
    interest_shares: NDArray[np.float64]  # (w, DAYPARTS, k) what a session is about; rows sum to 1
    person_rows: NDArray[np.int64]  # (few,) the people it follows
    daypart_shares: NDArray[np.float64]  # (DAYPARTS,) weekdays and weekends sum to 1 each
    device_shares: NDArray[np.float64]  # (DAYPARTS, devices) rows sum to 1
    sessions_per_day: NDArray[np.float64]  # (days,) 0 before it came and after it left


def draw_taste(
    config: SimulationConfig, space: LatentSpace, profile: Profile, rng: np.random.Generator
) -> Taste:
    """Draw the truth of one person who watches alone on a profile."""
    interests = _interests(config, space, profile, rng)
    liked_people = rng.choice(len(space.person_names), 4, replace=False)
    return Taste(
        interests=interests,
        interest_shares=_interest_shares(interests.shape[0], interests.shape[1], rng),
        person_rows=liked_people,
        daypart_shares=_daypart_shares(profile, rng),
        device_shares=_device_shares(rng),
        sessions_per_day=_sessions_per_day(config, rng),
    )


def _interests(
    config: SimulationConfig, space: LatentSpace, profile: Profile, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Interests that turn a little each week; now and then a new one takes an old one's place."""
    count = int(rng.integers(*_INTERESTS))
    current = np.stack([_new_interest(space, profile, rng) for _ in range(count)])
    weeks = [current]
    for _ in range(1, config.week_count):
        turned = directions(
            current + _DIRECTION_DRIFT * directions(rng.standard_normal(current.shape))
        )
        for place in np.flatnonzero(rng.random(count) < _NEW_INTEREST_SHARE).tolist():
            turned[place] = _new_interest(space, profile, rng)
        current = turned
        weeks.append(current)
    return np.stack(weeks)


def _new_interest(
    space: LatentSpace, profile: Profile, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A direction between a genre, two or three of its tags and something of one's own."""
    shares = np.array(
        [g.share * (g.name in _KIDS_GENRES or not profile.kids) for g in GENRES], np.float64
    )
    genre = int(rng.choice(len(GENRES), p=shares / shares.sum()))
    its_tags = np.flatnonzero(space.tag_genres[:, genre])
    tags = rng.choice(its_tags, min(int(rng.integers(2, 4)), len(its_tags)), replace=False)
    own = directions(rng.standard_normal((space.genres.shape[1],)))
    parts = np.stack([space.genres[genre], directions(space.tags[tags].sum(axis=0)), own])
    return directions(np.array([0.8, 0.9, 0.3]) @ parts)


def _interest_shares(weeks: int, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Softmax of a random walk over weeks and of a lasting tilt by daypart."""
    walk = 0.7 * rng.standard_normal((1, 1, count)) + np.cumsum(
        _WEIGHT_DRIFT * rng.standard_normal((weeks, 1, count)), axis=0
    )
    tilt = 0.6 * rng.standard_normal((1, DAYPARTS, count))
    return normalised(np.exp(walk + tilt))


def _daypart_shares(profile: Profile, rng: np.random.Generator) -> NDArray[np.float64]:
    shares = _KIDS_DAYPART_SHARES if profile.kids else _DAYPART_SHARES
    own = (np.array(shares) * rng.lognormal(0, 0.5, DAYPARTS)).reshape(2, 4)
    return normalised(own).ravel()


def _device_shares(rng: np.random.Generator) -> NDArray[np.float64]:
    """Most profiles mostly use one or two devices, each at its hours."""
    own = rng.gamma(6.0 * np.array(_DEVICE_SHARES)) + 1e-3
    quarters = np.array(list(_DEVICE_QUARTERS.values())).T  # (4, devices)
    return normalised(np.concatenate([quarters, quarters]) * own)


def _sessions_per_day(config: SimulationConfig, rng: np.random.Generator) -> NDArray[np.float64]:
    """A log-normal rate; newcomers start and some leave on a day, flagging for a week before."""
    rate = SESSIONS_PER_DAY * rng.lognormal(0.0, _ACTIVITY_SPREAD)
    days = np.arange(config.days)
    is_newcomer, churns = rng.random() < _NEWCOMER_SHARE, rng.random() < _CHURN_SHARE
    joins, leaves = rng.uniform(0, 0.75, 2) * config.days
    rates = np.full(config.days, rate)
    if is_newcomer:
        rates[days < joins] = 0.0
    if churns:
        left_on = leaves + 0.25 * config.days
        rates *= np.clip((left_on - days) / 7.0, 0.0, 1.0)
    return rates


def normalised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Non-negative (..., k) scaled so that the last axis sums to 1."""
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def daypart_of(weekday: int, hour: int) -> int:
    """0 to 3 are the quarters of a weekday, 4 to 7 those of Saturday and Sunday."""
    return 4 * (weekday >= 5) + hour // 6
