"""What a viewer is after tonight: one title that it would start and like, and why that one."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.viewing import ViewingContext, local_time
from libs.simulation.choice import draw_by_weight
from libs.simulation.moods import ATTRIBUTES, MOODS
from libs.simulation.preferences import Preferences
from libs.simulation.tastes import DAYPARTS, DEVICES, daypart_of

# What the moment adds to titles of an attribute, in nats for each unit of its score, by quarter
# of a weekday and of a weekend day: late nights are calm and alone, weekends have company.
_BY_DAYPART: Final = {
    "energy:calm": (2.4, 0.0, 0.0, 0.0, 2.0, 0.6, 0.0, -0.4),
    "energy:intense": (-0.8, 0.0, 0.0, 0.4, -0.4, 0.0, 0.2, 0.6),
    "company:alone": (1.2, 0.4, 0.4, 0.0, 1.0, 0.2, -0.4, -1.2),
    "company:couple": (0.0, -0.6, -0.2, 0.8, 0.0, -0.8, -0.2, 1.6),
    "company:family": (-1.2, 0.4, 0.8, 0.4, -1.2, 1.0, 1.2, 0.6),
    "company:friends": (0.0, -0.4, 0.0, 0.2, 0.6, -0.4, 0.4, 1.6),
}
# Who is asked what it wants has had what draws everybody: so much of the appeal is left. With all
# of it the ten most popular titles hold half of the targets, and no question is needed.
APPEAL_SHARE: Final = 0.3
_MOOD_STRENGTH: Final = 1.2  # nats for each unit of the mood that one is in


@dataclass(frozen=True, slots=True)
class Wish:
    """The truth of one evening; `row` is the target's place in World.recommendable_ids."""

    at_ms: int
    context: ViewingContext
    title_id: str
    row: int
    mood: str  # what the viewer is in the mood for, such as "mood:dark"


def draw_wish(
    preferences: Preferences,
    moods: NDArray[np.float64],
    title_ids: tuple[str, ...],
    at_ms: int,
    context: ViewingContext,
    rng: np.random.Generator,
    *,
    appeal_share: float = APPEAL_SHARE,
) -> Wish:
    """Draw the target from the viewer's own taste, the moment and a mood.

    `moods` is Moods.scores; `appeal_share` is how much of what draws everybody counts. A mood is
    drawn by how much of it the viewer's interest has; then a title by exp(utility) and the
    probability of liking it. Raises ValueError where nothing is available.
    """
    local = local_time(at_ms, context.time_zone)
    daypart = daypart_of(local.weekday(), local.hour)
    shares = preferences.taste.interest_shares[preferences.week(at_ms), daypart]
    interest = draw_by_weight(shares, rng)
    device = DEVICES.index(context.device)
    utilities = preferences.utilities(at_ms, interest, device, daypart)
    if not np.isfinite(utilities).any():
        raise ValueError("nothing is available: there is nothing to wish for")
    utilities = utilities - (1 - appeal_share) * preferences.appeal_at(at_ms)
    utilities += moods @ _moment(daypart)
    worth = np.exp(utilities - utilities.max()) * preferences.like_probabilities(at_ms, interest)
    usual = worth @ moods[:, : len(MOODS)] / worth.sum()
    mood = draw_by_weight(np.exp(usual), rng)
    worth = worth * np.exp(_MOOD_STRENGTH * moods[:, mood])
    row = draw_by_weight(worth, rng)
    return Wish(at_ms, context, title_ids[row], row, MOODS[mood])


def _moment(daypart: int) -> NDArray[np.float64]:
    """(ATTRIBUTES,) nats."""
    if not 0 <= daypart < DAYPARTS:
        raise ValueError("daypart must be one of DAYPARTS")
    nothing = (0.0,) * DAYPARTS
    return np.array([_BY_DAYPART.get(name, nothing)[daypart] for name in ATTRIBUTES])
