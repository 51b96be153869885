"""Questions that show two titles and ask which is nearer to what is wanted."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import Question, QuestionOption

_COST_BITS: Final = 0.1
# Viewers can judge what they have heard of, so pairs are made of the likeliest titles.
_KNOWN_TITLES: Final = 40
_PAIRS: Final = 20
# Of a variance of cosines in single precision: less is rounding.
_LEAST_SPREAD: Final = 1e-7
# Of the difference of two cosines in the log odds of the answer.
_SHARPNESS: Final = 6.0


def pair_questions(pool: Pool) -> tuple[Question, ...]:
    """The pairs of well-known titles that divide the pool best; none if nothing sets them apart."""
    similarity = _similarity(pool)
    if similarity is None:
        return ()
    known = np.sort(np.argsort(-pool.prior, kind="stable")[:_KNOWN_TITLES])
    near = similarity(known)  # (k, n)
    # A pair divides the belief if which of both is nearer varies over it: the variance of the
    # difference under the prior, for all pairs from one product.
    prior = pool.prior.astype(near.dtype)
    centred = near - (near @ prior)[:, None]
    covariance = (centred * prior) @ centred.T
    firsts, seconds = np.triu_indices(len(known), 1)
    variances = np.diag(covariance)
    spread = variances[firsts] + variances[seconds] - 2.0 * covariance[firsts, seconds]
    best = np.argsort(-spread, kind="stable")[:_PAIRS]
    best = best[spread[best] > _LEAST_SPREAD]
    prefers = _prefers(near[firsts[best]] - near[seconds[best]])
    likelihood = np.stack((prefers, 1.0 - prefers), axis=1)  # (p, 2, n)
    fits = likelihood > 0.5
    pairs = zip(known[firsts[best]].tolist(), known[seconds[best]].tolist(), strict=True)
    return tuple(
        _question((pool.titles[first], pool.titles[second]), likelihood[place], fits[place])
        for place, (first, second) in enumerate(pairs)
    )


def _question(
    titles: tuple[Title, Title], likelihood: NDArray[np.float32], fits: NDArray[np.bool_]
) -> Question:
    return Question(
        question_id=f"pair:{titles[0].title_id}:{titles[1].title_id}",
        kind="pair",
        text="Which of these two is nearer to what you want?",
        options=tuple(
            QuestionOption(f"o{place}", title.name, f"it is near to {title.name}", title.title_id)
            for place, title in enumerate(titles)
        ),
        likelihood=likelihood,
        fits=fits,
        cost_bits=_COST_BITS,
    )


def _prefers(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1.0 / (1.0 + np.exp(-_SHARPNESS * differences)), np.float32)


class _Cosines:
    """How near titles are to all others of the pool, by vectors of length 1."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(self._vectors[rows] @ self._vectors.T)


def _similarity(pool: Pool) -> _Cosines | None:
    """By the bundle's vectors, without them by the labels that titles have in common."""
    if pool.vectors is not None:
        return _Cosines(pool.vectors)
    columns = [labels.carried for labels in pool.labels.values() if len(labels.names)]
    if not columns:
        return None
    carried = np.concatenate(columns, axis=1).astype(np.float32)
    lengths = np.sqrt((carried * carried).sum(axis=1, keepdims=True))
    return _Cosines(carried / np.maximum(lengths, 1.0))
