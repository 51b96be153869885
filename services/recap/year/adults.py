"""Which of the adults on a profile each session was: people as latent classes.

What is watched of one series is mostly one person's, so people are told apart by *threads*, the
sessions of one whole: few sessions say who it was, and a thread has the hours and the devices of
all of its own.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_PEOPLE: Final = 4

# Chosen on simulated services of the seeds 51 and 52, of 275 profiles found shared: adjusted Rand
# index .23 of what adults watched of no children's titles, one adult parted in 4 of 108.
_CONTENT_WEIGHT: Final = 2.0  # of a thread's genres, which are those of one whole, in sessions
_SMOOTHING: Final = 10.0  # sessions of everybody's habits that each person begins with
_PRICE: Final = 0.5  # of BIC's: the smoothing leaves fewer parameters free
_SURE: Final = 0.8  # of a thread at first, that it is of where it was put
_ROUNDS: Final = 20
_GROUP_ROUNDS: Final = 100
_EPSILON: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """What is known of s sessions; aligned."""

    content: NDArray[np.float64]  # (s, f) shares of genres, of sum 1 or 0
    hours: NDArray[np.float64]  # (s, h) one-hot
    devices: NDArray[np.float64]  # (s, d) one-hot
    whole: NDArray[np.int64]  # (s,) what was watched most; of one number, of one thread


def tell_apart(views: Views, least: int) -> NDArray[np.int64]:
    """(s,): whose each session is, of `least` to MOST_PEOPLE people by BIC; one group if few."""
    count = len(views.whole)
    if count < 2 * least:
        return np.zeros(count, np.int64)
    thread = np.unique(views.whole, return_inverse=True)[1]
    member = np.eye(int(thread.max()) + 1)[:, thread]  # (t, s)
    sizes = member.sum(axis=1)
    content = _CONTENT_WEIGHT * (member @ views.content) / sizes[:, None]
    habits = [content, member @ views.hours, member @ views.devices]
    usual = [view.mean(axis=0) for view in (views.content, views.hours, views.devices)]
    places = _in_common(views.content, np.hstack([views.devices, views.hours]))
    places = (member @ places) / sizes[:, None]
    free = sum(len(view) - 1 for view in usual)
    best_price, best = np.inf, np.zeros(len(sizes), np.int64)
    for people in range(least, MOST_PEOPLE + 1):
        if count < 2 * people:
            break
        shares, log_likelihood = _classes(habits, usual, sizes, _groups(places, people), people)
        parameters = people * free + people - 1
        price = _PRICE * parameters * float(np.log(count)) - 2 * log_likelihood
        if price < best_price:
            best_price, best = price, shares.argmax(axis=1)
    return np.unique(best[thread], return_inverse=True)[1].astype(np.int64)


def _classes(
    habits: list[NDArray[np.float64]],
    usual: list[NDArray[np.float64]],
    sizes: NDArray[np.float64],
    group: NDArray[np.int64],
    people: int,
) -> tuple[NDArray[np.float64], float]:
    """(t, people) whose each thread is, and the log-likelihood: independent habits, by EM."""
    shares = np.eye(people)[group] * _SURE + (1 - _SURE) / people
    log_likelihood = -np.inf
    for _ in range(_ROUNDS):
        weights = (sizes @ shares + 1) / (sizes.sum() + people)
        logs = np.log(weights) + np.zeros((len(sizes), 1))
        for view, everybody in zip(habits, usual, strict=True):
            counts = shares.T @ view + _SMOOTHING * everybody
            parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), _EPSILON)
            logs += view @ np.log(np.maximum(parts, _EPSILON)).T
        top = logs.max(axis=1, keepdims=True)
        shares = np.exp(logs - top)
        total = shares.sum(axis=1, keepdims=True)
        shares /= total
        before, log_likelihood = log_likelihood, float((top + np.log(total)).sum())
        if abs(log_likelihood - before) < 1e-3:
            break
    return shares, log_likelihood


def _in_common(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(s, r): both views of the sessions along what they have in common.

    Where two views are independent for each person, their canonical directions are those in
    which people differ (Chaudhuri et al. 2009, multi-view clustering by CCA).
    """
    count = len(one)
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    left, right = _whitening(one.T @ one / count), _whitening(other.T @ other / count)
    first, strength, second = np.linalg.svd(left @ (one.T @ other / count) @ right)
    kept = slice(0, min(MOST_PEOPLE - 1, len(strength)))
    views = (one @ left @ first[:, kept], other @ right @ second.T[:, kept])
    scaled = [view / np.maximum(view.std(axis=0), _EPSILON) * strength[kept] for view in views]
    return np.hstack(scaled)


def _whitening(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse square root of a covariance with a ridge of its mean eigenvalue."""
    values, vectors = np.linalg.eigh(covariance)
    ridged = np.maximum(values, 0) + values.mean() + _EPSILON
    return np.asarray((vectors / np.sqrt(ridged)) @ vectors.T)


def _groups(places: NDArray[np.float64], people: int) -> NDArray[np.int64]:
    """(t,) k-means, begun at equal parts along the first direction."""
    along = np.argsort(places[:, 0], kind="stable")
    group = np.empty(len(places), np.int64)
    group[along] = np.arange(len(places)) * people // len(places)
    for _ in range(_GROUP_ROUNDS):
        member = np.eye(people)[group]
        centres = member.T @ places / np.maximum(member.sum(axis=0), 1.0)[:, None]
        distances = ((places[:, None, :] - centres) ** 2).sum(axis=2)
        before, group = group, distances.argmin(axis=1)
        if (group == before).all():
            break
    return group
