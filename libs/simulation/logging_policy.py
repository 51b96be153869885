"""The stochastic policy that fills the simulated home page, with its exact propensities."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.simulation.preferences import TASTE_STRENGTH, Preferences

POLICY: Final = "simulated-logging-v1"

# The policy sees a blurred picture of taste, with errors that last as a weak model's do.
_TASTE_SHARE: Final = 0.35
_ERROR_SPREAD: Final = 0.8
_APPEAL_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class LoggingPolicy:
    """The policy's standing opinion of n titles for one profile, by week."""

    opinions: NDArray[np.float64]  # (w, n)


@dataclass(frozen=True, slots=True, eq=False)
class Slate:
    """Titles in the order shown, and the probability of each draw."""

    rows: NDArray[np.int64]  # (m,)
    propensities: NDArray[np.float64]  # (m,) in (0, 1]


def build_policy(*members: Preferences, rng: np.random.Generator) -> LoggingPolicy:
    """The policy's opinions: the log of the mixed worth of all interests, blurred.

    Where several people share the profile, all their interests are mixed: it cannot tell them
    apart.
    """
    worths = [_mixed_worth(one) for one in members]
    mixed = np.log(sum(worths[1:], worths[0]) / len(worths))
    lasting = sum((one.lasting for one in members[1:]), members[0].lasting) / len(members)
    errors = _ERROR_SPREAD * rng.standard_normal(mixed.shape[1])
    return LoggingPolicy(_TASTE_SHARE * mixed + lasting + errors)


def _mixed_worth(preferences: Preferences) -> NDArray[np.float64]:
    shares = preferences.taste.interest_shares.mean(axis=1)  # (w, k)
    worth = np.exp(TASTE_STRENGTH * preferences.match)
    return np.asarray(np.einsum("wk,wkn->wn", shares, worth))


def logits(policy: LoggingPolicy, preferences: Preferences, at_ms: int) -> NDArray[np.float64]:
    """(n,): what the policy draws by at a time; -inf where a title is not available."""
    opinion = policy.opinions[preferences.week(at_ms)]
    scores: NDArray[np.float64] = opinion + _APPEAL_SHARE * preferences.appeal_at(at_ms)
    scores[~preferences.is_available(at_ms)] = -np.inf
    return scores


def draw_slate(scores: NDArray[np.float64], size: int, rng: np.random.Generator) -> Slate:
    """Draw up to `size` titles one after the other by softmax(scores), without replacement.

    This is a Plackett-Luce draw, made at once by adding Gumbel noise. The propensity at a
    position is the probability with which its title was chosen there, given those already
    placed: exp(score) over the sum of exp(score) of all titles not placed before it.
    """
    open_rows = np.flatnonzero(np.isfinite(scores))
    size = min(size, len(open_rows))
    if size == 0:
        return Slate(np.zeros(0, np.int64), np.zeros(0))
    open_scores = scores[open_rows]
    keys = open_scores + rng.gumbel(size=len(open_rows))
    best = np.argpartition(-keys, size - 1)[:size]
    best = best[np.argsort(-keys[best], kind="stable")]
    weights = np.exp(open_scores - open_scores.max())
    drawn = weights[best]
    weights[best] = 0.0
    # Summed from the last position on, so that nothing is lost when a few titles hold all weight.
    left = weights.sum() + np.cumsum(drawn[::-1])[::-1]
    propensities = np.clip(drawn / left, np.finfo(np.float64).tiny, 1.0)
    return Slate(open_rows[best], propensities)
