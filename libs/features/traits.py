"""Traits: how a profile watches, computed on read from its newest history.

They say what sort of viewer somebody is (novelty appetite, persona, whether things are finished),
for ranking, for explanations, and for recap and quiz later.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.domain.viewing import Device
from libs.features.counters import Counters
from libs.features.daypart import DAYPART_COUNT
from libs.features.profile_state import PROFILE_HALF_LIFE_MS, counters_at
from libs.features.profile_view import ProfileView, decayed, watched_ratio

# The newest first viewings that a novelty appetite is measured on, and how many came before
# them that they are held against.
_NEWEST: Final = 20
_BEFORE: Final = 80
# What the average of all viewers counts for, in first viewings and in titles.
_PRIOR_COUNT: Final = 5.0
_USUAL_NOVELTY: Final = 0.5
_USUAL_COMPLETION: Final = 0.5
_USUAL_ABANDONMENT: Final = 0.2

COMPLETED_RATIO: Final = 0.9  # the rest is credits
ABANDONED_RATIO: Final = 0.25
# Until then one may come back to it tomorrow.
ABANDONED_AFTER_MS: Final = 2 * DAY_MS

# Fewer viewings a week than this make an occasional viewer.
OCCASIONAL_A_WEEK: Final = 1.0
DISCOVERER_NOVELTY: Final = 0.55


class Persona(Enum):
    """What exploration is sized by."""

    FOCUSED = "focused"
    DISCOVERER = "discoverer"
    OCCASIONAL = "occasional"


@dataclass(frozen=True, slots=True)
class Traits:
    """Shares are from 0 to 1 and shrunk towards the usual where little is known."""

    novelty: float  # how unlike the ones before the titles are that were taken up lately
    completion: float  # the share of titles begun that were seen to their end
    abandonment: float  # the share of titles begun that were left early and for good
    viewings_a_week: float
    persona: Persona


def traits(
    view: ProfileView, counters: Counters, genre_weights: NDArray[np.float32], at_ms: int
) -> Traits:
    """The traits at `at_ms` from a view, PROFILE_COUNTER_NAMES and each row's genres (n, g)."""
    novelty = novelty_appetite(view, genre_weights)
    completion, abandonment = endings(view, decayed(view, at_ms), at_ms)
    weekly = viewings_a_week(view, counters, at_ms)
    return Traits(novelty, completion, abandonment, weekly, persona(novelty, weekly))


@dataclass(frozen=True, slots=True)
class Habits:
    """Where and when a profile watches: shares of its engagement that add up to 1, or to 0."""

    devices: tuple[float, ...]  # by Device
    dayparts: tuple[float, ...]  # by daypart: quarters of a working day, then of the weekend


def habits(counters: Counters, at_ms: int) -> Habits:
    """The habits at `at_ms` by PROFILE_COUNTER_NAMES; what was done lately counts for more."""
    now = counters_at(counters, at_ms)
    whole = max(now["engagement"], 1e-9)
    return Habits(
        tuple(now[f"engagement_device_{device.name.lower()}"] / whole for device in Device),
        tuple(now[f"engagement_daypart_{part}"] / whole for part in range(DAYPART_COUNT)),
    )


def persona(novelty: float, viewings_a_week: float) -> Persona:
    """Who comes seldom is occasional, whatever is watched then."""
    if viewings_a_week < OCCASIONAL_A_WEEK:
        return Persona.OCCASIONAL
    return Persona.DISCOVERER if novelty >= DISCOVERER_NOVELTY else Persona.FOCUSED


def novelty_appetite(view: ProfileView, genre_weights: NDArray[np.float32]) -> float:
    """The mean distance (1 − cosine of genres) of the newest first viewings from all before."""
    begun = np.flatnonzero(view.first_ms)
    if len(begun) < 2:
        return _USUAL_NOVELTY
    order = np.lexsort((view.rows[begun], view.first_ms[begun]))[-(_NEWEST + _BEFORE) :]
    genres = genre_weights[view.rows[begun[order]]].astype(np.float64)
    before = np.cumsum(genres, axis=0)[:-1]
    newest = slice(-min(_NEWEST, len(before)), None)
    one, other = genres[1:][newest], before[newest]
    lengths = np.sqrt(np.einsum("mg,mg->m", other, other) * np.einsum("mg,mg->m", one, one))
    is_known = lengths > 0
    near = np.einsum("mg,mg->m", one, other)[is_known] / lengths[is_known]
    whole = float((1.0 - near).sum()) + _PRIOR_COUNT * _USUAL_NOVELTY
    return float(whole / (len(near) + _PRIOR_COUNT))


def endings(view: ProfileView, now: NDArray[np.float64], at_ms: int) -> tuple[float, float]:
    """Shares of titles completed and abandoned among those begun; `now` is `decayed` (h, 4).

    A title counts for as much as is left of its starts, once at most.
    """
    weights = np.minimum(now[:, 1], 1.0)
    ratio = watched_ratio(view)
    is_completed = (view.completed_ms > 0) | (ratio >= COMPLETED_RATIO)
    is_left = (ratio < ABANDONED_RATIO) & (at_ms - view.last_ms > ABANDONED_AFTER_MS)
    whole = float(weights.sum()) + _PRIOR_COUNT
    completed = float(weights[is_completed].sum()) + _PRIOR_COUNT * _USUAL_COMPLETION
    left = float(weights[is_left & ~is_completed].sum()) + _PRIOR_COUNT * _USUAL_ABANDONMENT
    return completed / whole, left / whole


def viewings_a_week(view: ProfileView, counters: Counters, at_ms: int) -> float:
    """Starts, or the engagement where only ratings are known, a week of those since the first."""
    now = counters_at(counters, at_ms)
    count = max(now["starts"], now["engagement"])
    first_ms = view.first_ms[view.first_ms > 0]
    if count == 0.0 or len(first_ms) == 0:
        return 0.0
    # One viewing a day since the first adds up to as much as is left of its days.
    days = max((at_ms - int(first_ms.min())) / DAY_MS, 7.0)
    half_life_days = PROFILE_HALF_LIFE_MS / DAY_MS
    seen_days = (1.0 - 2.0 ** (-days / half_life_days)) * half_life_days / float(np.log(2.0))
    return float(7.0 * count / seen_days)
