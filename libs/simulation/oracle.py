"""What the simulator knows: how likely a profile is to start and like each title."""

import functools
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.viewing import Device, ViewingContext, local_time
from libs.simulation.choice import OUTSIDE_SHARE, SEARCH_SHARE, SLATE_SIZES, seen_shares
from libs.simulation.config import DAY_MS
from libs.simulation.logging_policy import LoggingPolicy, logits
from libs.simulation.preferences import Preferences
from libs.simulation.tastes import DAYPARTS, DEVICES, daypart_of

_LEAST_CONTEXT_SHARE: Final = 0.02  # rarer moments are left out of the mean
_EXACT_TITLES: Final = 40
_NODES: Final = 32
_MOST_SEEN: Final = 1 - 1e-9  # short of 1, so that no factor of the transform is 0


def start_and_like(
    members: Sequence[Preferences],
    policy: LoggingPolicy,
    at_ms: int,
    context: ViewingContext | None,
) -> NDArray[np.float64]:
    """(n,) the probability that one page view at `at_ms` ends in starting and liking each title.

    Where several people share the profile, it may be any of them who views: the more likely the
    more sessions they have on that day, at that hour and on that device.
    """
    by_member = [_by_one(one, members[0], policy, at_ms, context) for one in members]
    presence = np.array([_presence(one, at_ms, context) for one in members])
    if not presence.any():
        presence[:] = 1.0
    return np.asarray((presence / presence.sum()) @ np.stack(by_member))


def _by_one(
    preferences: Preferences,
    shown: Preferences,
    policy: LoggingPolicy,
    at_ms: int,
    context: ViewingContext | None,
) -> NDArray[np.float64]:
    """(n,) the probability of one member's view, on pages that show what `shown` may see.

    With a context, its device and local hour; without one, or with an unspecified device, the
    mean over the moments and devices that the profile uses. What was watched before is not known
    here, so callers leave it out themselves; titles that are not available have 0.

    Exact but for the slate, where titles are taken to be seen independently of each other, with
    the inclusion probabilities of an exponential race of the expected length.
    """
    taste = preferences.taste
    week = preferences.week(at_ms)
    scores = logits(policy, shown, at_ms)
    if not np.isfinite(scores).any():
        return np.zeros(len(scores))
    seen = [_seen_probabilities(scores, size) for size in SLATE_SIZES]
    contexts = _context_shares(preferences, at_ms, context)
    contexts[contexts < _LEAST_CONTEXT_SHARE] = 0.0
    contexts /= contexts.sum()
    likes = [
        preferences.like_probabilities(at_ms, interest)
        for interest in range(taste.interests.shape[1])
    ]
    total = np.zeros(len(scores))
    for daypart, device in np.argwhere(contexts > 0).tolist():
        shares = contexts[daypart, device] * taste.interest_shares[week, daypart]
        for interest, share in enumerate(shares.tolist()):
            worth = np.exp(preferences.utilities(at_ms, interest, device, daypart))
            if not worth.any():
                continue
            total += share * _start_probabilities(worth, seen[device]) * likes[interest]
    return total


def _start_probabilities(
    worth: NDArray[np.float64], seen: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,): started from the slate, or found by searching after nothing on it was right.

    A seen title is started with its worth / (outside + S), S the worth of all that is seen. The
    mean of that over independent sightings is an integral over the Laplace transform of S:
    E[1 / (o + S)] = ∫ exp(−o·t) · E[exp(−S·t)] dt, here by Gauss-Laguerre. Titles of little worth
    enter the transform by their mean.
    """
    share = worth / worth.sum()
    pull = seen * share
    few = min(_EXACT_TITLES, len(share) - 1)
    top = np.argpartition(-pull, few)[:few]
    nodes, weights = _quadrature()
    times = nodes[:, None] / OUTSIDE_SHARE  # (nodes, 1)
    decays = np.exp(-times * share[top])  # (nodes, top)
    factors = 1 - seen[top] + seen[top] * decays
    rest = float(pull.sum() - pull[top].sum())
    transform = factors.prod(axis=1) * np.exp(-times[:, 0] * rest) * weights / OUTSIDE_SHARE
    from_slate = pull * transform.sum()
    from_slate[top] = pull[top] * (transform[:, None] * decays / factors).sum(axis=0)
    nothing_right = OUTSIDE_SHARE * transform.sum()
    return np.asarray(from_slate + nothing_right * SEARCH_SHARE * share)


@functools.cache
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of Gauss-Laguerre integration."""
    nodes, weights = np.polynomial.laguerre.laggauss(_NODES)
    return np.asarray(nodes, np.float64), np.asarray(weights, np.float64)


def _seen_probabilities(scores: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """(n,): in the slate and seen. 1 − exp(−r·p) with r such that the expected number fits."""
    odds = np.exp(scores - scores.max())
    odds /= odds.sum()
    wanted = min(float(seen_shares(size).sum()), 0.99 * np.count_nonzero(odds))
    low, high = 0.0, 1.0
    while (1 - np.exp(-high * odds)).sum() < wanted and high < 1e12:
        high *= 4
    for _ in range(40):
        middle = (low + high) / 2
        if (1 - np.exp(-middle * odds)).sum() < wanted:
            low = middle
        else:
            high = middle
    return np.asarray(np.minimum(1 - np.exp(-high * odds), _MOST_SEEN))


def _presence(preferences: Preferences, at_ms: int, context: ViewingContext | None) -> float:
    """Sessions that a member has on such a day, at the context's hour and device if it tells."""
    rates = preferences.taste.sessions_per_day
    day = min(max(at_ms - preferences.start_ms, 0) // DAY_MS, len(rates) - 1)
    shares = _usual_shares(preferences)
    if context is not None:
        local = local_time(at_ms, context.time_zone)
        shares = shares[[daypart_of(local.weekday(), local.hour)]]
        if context.device is not Device.UNSPECIFIED:
            shares = shares[:, [DEVICES.index(context.device)]]
    return float(rates[day] * shares.sum())


def _usual_shares(preferences: Preferences) -> NDArray[np.float64]:
    """(DAYPARTS, devices): how likely each moment and device is in a week."""
    taste = preferences.taste
    days = np.repeat([5 / 7, 2 / 7], DAYPARTS // 2)
    return np.asarray((days * taste.daypart_shares)[:, None] * taste.device_shares)


def _context_shares(
    preferences: Preferences, at_ms: int, context: ViewingContext | None
) -> NDArray[np.float64]:
    """(DAYPARTS, devices): how likely each moment and device is."""
    taste = preferences.taste
    usual = _usual_shares(preferences)
    if context is None:
        return usual
    local = local_time(at_ms, context.time_zone)
    daypart = daypart_of(local.weekday(), local.hour)
    shares = np.zeros_like(usual)
    if context.device is Device.UNSPECIFIED:
        shares[daypart] = taste.device_shares[daypart]
    else:
        shares[daypart, DEVICES.index(context.device)] = 1.0
    return shares
