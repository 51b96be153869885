"""Whether several people share one profile, and whose each session is; accounts are not merged.

Who shares a profile mixes tastes, and what is watched then hangs on the hour and the device: one
person's taste does so far less. That dependence, not how many tastes there are, tells sharing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recap.year.adults import Views, tell_apart

LEAST_SESSIONS: Final = 20  # with fewer nothing is told
WEEK_HOURS: Final = 168.0
_DAYS: Final = 5  # hours from here on are Saturday's and Sunday's
_HOURS_PER_BIN: Final = 3
_BINS: Final = 24 // _HOURS_PER_BIN
_KIDS_SESSION: Final = 0.5  # a session with at least this share of children's titles is a child's
_KIDS_ARE_ONE: Final = 0.1  # of the sessions; from here on the children are one of the people

# Logistic regression on SIGNALS, fitted on one simulated service, half of whose adults' profiles
# are shared, on whole years and shorter stretches, with genre shares for content: `python -m
# benchmarks.households` fits anew, make bench ONLY=households judges it on other services.
SIGNALS: Final = (
    "content by device",
    "content by hour",
    "children's titles by device",
    "children's titles by hour",
    "spread of children's titles",
    "spread of devices",
    "spread of content",
)
WEIGHTS: Final = (16.808, 11.897, 0.085, 9.608, 0.093, 2.561, 4.851)
INTERCEPT: Final = -4.619
# One person's year is split in 1% of the fit's cases; other services have more, the promise is 5%.
SHARED_FROM: Final = 0.753

_EPSILON: Final = 1e-12
_ROUNDING: Final = 1e-9  # sums of shares may pass 1 by so much


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """What is known of a profile's s sessions; aligned, in any order."""

    start_ms: NDArray[np.int64]  # (s,) Unix ms
    local_hour: NDArray[np.float64]  # (s,) hours since Monday 00:00 on the viewer's own clock
    device: NDArray[np.int64]  # (s,) numbers of Device
    content: NDArray[np.float64]  # (s, f) shares of genres; a row of zeros: not known
    kids_share: NDArray[np.float64]  # (s,) of the time watched, children's titles
    whole: NDArray[np.int64]  # (s,) the series or film watched most: the same number, the same one

    def __post_init__(self) -> None:
        count = len(self.start_ms)
        columns = (self.start_ms, self.local_hour, self.device, self.kids_share, self.whole)
        if any(column.shape != (count,) for column in columns):
            raise ValueError("columns must be one-dimensional and of one length")
        if self.content.ndim != 2 or len(self.content) != count or not self.content.shape[1]:
            raise ValueError("content must have a row for each session, and columns")
        if not np.isfinite(self.content).all():
            raise ValueError("content must be finite")
        if not ((self.local_hour >= 0) & (self.local_hour < WEEK_HOURS)).all():
            raise ValueError("local_hour must be from 0 to before 168")
        if not ((self.kids_share >= 0) & (self.kids_share <= 1 + _ROUNDING)).all():
            raise ValueError("kids_share must be from 0 to 1")
        if (self.device < 0).any():
            raise ValueError("device must not be negative")

    def take(self, rows: NDArray[np.int64]) -> "Sessions":
        """Those at `rows`, in that order."""
        return Sessions(
            self.start_ms[rows],
            self.local_hour[rows],
            self.device[rows],
            self.content[rows],
            self.kids_share[rows],
            self.whole[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Household:
    """Who watches on one profile.

    Clusters are numbered from 0, adults' first and the bigger before the smaller; where the
    profile is not taken for shared, all sessions are in cluster 0.
    """

    likelihood: float | None  # that several people share it; None: too few sessions to tell
    is_shared: bool
    cluster: NDArray[np.int64]  # (s,) in the order of the sessions given
    kids_cluster: int | None  # the last cluster, where there is one of children

    @property
    def cluster_count(self) -> int:
        """How many sets of cards to make; 1 where the profile is not taken for shared."""
        return int(self.cluster.max(initial=0)) + 1

    def sessions_of(self, cluster: int) -> NDArray[np.int64]:
        """The places of one cluster's sessions, ascending."""
        return np.flatnonzero(self.cluster == cluster)


def assess(sessions: Sessions) -> Household:
    """Assess one profile; the same sessions in another order are assessed alike.

    In a shared profile no session of mostly children's titles is in an adult's cluster. How many
    people the others are is decided by BIC.
    """
    count = len(sessions.start_ms)
    if count < LEAST_SESSIONS:
        return Household(None, False, np.zeros(count, np.int64), None)
    likelihood = float(1 / (1 + np.exp(-(INTERCEPT + signals(sessions) @ np.array(WEIGHTS)))))
    if likelihood < SHARED_FROM:
        return Household(likelihood, False, np.zeros(count, np.int64), None)
    cluster, kids_cluster = _people(sessions)
    return Household(likelihood, True, cluster, kids_cluster)


def signals(sessions: Sessions) -> NDArray[np.float64]:
    """(SIGNALS,): what tells sharing; few sessions tell less of it, not more."""
    content, device, hour = _directions(sessions.content), _devices(sessions), _hours(sessions)
    kids = (sessions.kids_share >= _KIDS_SESSION).astype(np.float64)[:, None]
    of_content, of_device, of_hour, of_kids = map(_Centred.of, (content, device, hour, kids))
    return np.array(
        [
            _dependence(of_content, of_device),
            _dependence(of_content, of_hour),
            _dependence(of_kids, of_device),
            _dependence(of_kids, of_hour),
            _spread(np.hstack([kids, 1 - kids])),
            _spread(device),
            _spread(content),
        ]
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Centred:
    """A feature of sessions less its mean."""

    rows: NDArray[np.float64]  # (s, f)
    squares: float  # the sum of all
    norm: float  # of the feature's own covariance

    @staticmethod
    def of(feature: NDArray[np.float64]) -> "_Centred":
        rows = feature - feature.mean(axis=0)
        norm = np.linalg.norm(rows.T @ rows / len(rows))
        return _Centred(rows, float((rows**2).sum()), float(norm))


def _dependence(one: _Centred, other: _Centred) -> float:
    """How much two features of the same sessions hang together; at most 0 if not at all.

    Linear HSIC over the norms, as in CKA (Kornblith et al. 2019), less its mean and one standard
    deviation for independent features of so few sessions.
    """
    count = len(one.rows)
    common = float(((one.rows.T @ other.rows / count) ** 2).sum())
    by_chance = one.squares * other.squares / count**3
    norms = one.norm * other.norm
    found = (common - by_chance) / norms if norms > _EPSILON else 0.0
    return found - float(np.sqrt(2)) / count


def _spread(features: NDArray[np.float64]) -> float:
    """0 where all sessions are alike; at most 1 (Gini's index, for one-hot rows)."""
    return 1.0 - float((features.mean(axis=0) ** 2).sum())


def _directions(content: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.linalg.norm(content, axis=1, keepdims=True)
    return np.asarray(content / np.where(norms > 0, norms, 1.0))


def _hour_bins(sessions: Sessions) -> NDArray[np.int64]:
    """(s,): three hours of a weekday, then of a weekend day."""
    day, hour = np.divmod(sessions.local_hour, 24)
    return (hour // _HOURS_PER_BIN).astype(np.int64) + _BINS * (day >= _DAYS)


def _hours(sessions: Sessions) -> NDArray[np.float64]:
    return np.eye(2 * _BINS)[_hour_bins(sessions)]


def _devices(sessions: Sessions) -> NDArray[np.float64]:
    _, device = np.unique(sessions.device, return_inverse=True)
    return np.eye(int(device.max()) + 1)[device]


def _people(sessions: Sessions) -> tuple[NDArray[np.int64], int | None]:
    """(s,) whose each session is, and which cluster is the children's, if any."""
    is_kids = sessions.kids_share >= _KIDS_SESSION
    kids_are_one = bool(is_kids.mean() >= _KIDS_ARE_ONE) and not is_kids.all()
    rows = np.flatnonzero(~is_kids)
    cluster = np.zeros(len(is_kids), np.int64)
    cluster[rows] = _adults(sessions.take(rows), least=1 if kids_are_one else 2)
    if not is_kids.any():
        return cluster, None
    kids_cluster = int(cluster[rows].max()) + 1 if len(rows) else 0
    cluster[is_kids] = kids_cluster
    return cluster, kids_cluster


def _adults(sessions: Sessions, least: int) -> NDArray[np.int64]:
    """(s,): whose each session is, the busiest first; at least `least` people."""
    if not len(sessions.start_ms):
        return np.zeros(0, np.int64)
    in_time = np.lexsort((sessions.whole, sessions.device, sessions.local_hour, sessions.start_ms))
    known = sessions.take(in_time)
    total = known.content.sum(axis=1, keepdims=True)
    content = known.content / np.where(total > 0, total, 1.0)
    found = tell_apart(Views(content, _hours(known), _devices(known), known.whole), least)
    by_size = np.argsort(np.argsort(-np.bincount(found), kind="stable"), kind="stable")
    cluster = np.empty(len(found), np.int64)
    cluster[in_time] = by_size[found]
    return cluster
