"""Questions about what every title has one value of: length, era and how well known it is."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recap.quiz.pool import Pool
from services.recap.quiz.question import MOST_OPTIONS, Question, QuestionOption
from services.recap.quiz.questions_of_labels import question_of

# Not measured: that viewers seldom have years in mind, or how many others watch a thing, is taken
# for granted, so that these are asked where they tell clearly more than the mood.
_COSTS_BITS: Final = {"length": 0.1, "era": 0.5, "familiarity": 0.5}
# A question needs this much of the belief on titles whose value is known.
_LEAST_KNOWN: Final = 0.5
_ROUND_MINUTES: Final = 5
_FAMILIARITY: Final = (
    ("known", "Something everybody watches", "everybody watches it"),
    ("between", "Well liked, less talked about", "it is well liked and less talked about"),
    ("gem", "A hidden gem", "it is a hidden gem"),
)


def column_questions(pool: Pool) -> tuple[Question, ...]:
    """The questions of length, era and familiarity that the pool has data for."""
    found = (_length(pool), _era(pool), _familiarity(pool))
    return tuple(question for question in found if question is not None)


def _length(pool: Pool) -> Question | None:
    is_timed = (pool.minutes > 0) & ~pool.is_series
    if pool.prior[is_timed | pool.is_series].sum() < _LEAST_KNOWN:
        return None
    has_series = bool(pool.is_series.any())
    rounded = -(-pool.minutes // _ROUND_MINUTES) * _ROUND_MINUTES
    edges = _edges(rounded, pool.prior * is_timed, MOST_OPTIONS - has_series)
    fits = [*_within(rounded, edges, is_timed)]
    options = [_span_option(low, high) for low, high in edges]
    if has_series:
        fits.append(pool.is_series)
        options.append(QuestionOption("series", "A series", "it is a series"))
    return _asked("length", "How much time do you have?", options, fits)


def _era(pool: Pool) -> Question | None:
    is_known = pool.release_years > 0
    if pool.prior[is_known].sum() < _LEAST_KNOWN:
        return None
    edges = _edges(pool.release_years, pool.prior * is_known, MOST_OPTIONS)
    options = [
        QuestionOption(f"years{low}to{high}", years_text(low, high), _years_reason(low, high))
        for low, high in edges
    ]
    return _asked("era", "From which years?", options, _within(pool.release_years, edges, is_known))


def _familiarity(pool: Pool) -> Question | None:
    if pool.popularity is None or len(np.unique(pool.popularity)) < 2:
        return None
    order = np.argsort(-pool.popularity, kind="stable")
    before = np.empty(len(order))
    before[order] = np.cumsum(pool.prior[order]) - pool.prior[order]
    third = np.minimum((before * len(_FAMILIARITY)).astype(np.int64), len(_FAMILIARITY) - 1)
    present = [place for place in range(len(_FAMILIARITY)) if (third == place).any()]
    options = [QuestionOption(*_FAMILIARITY[place]) for place in present]
    return _asked(
        "familiarity", "How well known may it be?", options, [third == place for place in present]
    )


def _asked(
    kind: str, text: str, options: list[QuestionOption], fits: list[NDArray[np.bool_]]
) -> Question | None:
    if len(options) < 2:
        return None
    return question_of(kind, kind, text, options, fits, _COSTS_BITS[kind])


def _edges(
    values: NDArray[np.int64], mass: NDArray[np.float64], count: int
) -> list[tuple[int, int]]:
    """At most `count` spans (low, high) of `values` (n,) with about as much of `mass` (n,) each.

    Together they hold every integer: the first has no low end (0), the last no high one (0); both
    ends belong to a span.
    """
    distinct, place = np.unique(values[mass > 0], return_inverse=True)
    if len(distinct) == 0:
        return []
    sums = np.cumsum(np.bincount(place, weights=mass[mass > 0]))
    wanted = np.arange(1, count) / count * sums[-1]
    # The span ends at the value whose cumulated mass is nearest to what is wanted.
    ends = np.unique(np.abs(sums[:, None] - wanted).argmin(axis=0))
    highs = [int(distinct[end]) for end in ends if end < len(distinct) - 1]
    lows = [0, *(high + 1 for high in highs)]
    return list(zip(lows, [*highs, 0], strict=True))


def _within(
    values: NDArray[np.int64], spans: list[tuple[int, int]], is_known: NDArray[np.bool_]
) -> list[NDArray[np.bool_]]:
    return [
        is_known & (values >= low) & ((values <= high) if high else np.True_) for low, high in spans
    ]


def _span_option(low: int, high: int) -> QuestionOption:
    if not low and not high:
        # All last as long: they are told from series by not being one.
        return QuestionOption("whole", "No series", "it is no series")
    name, text = f"under{high}" if high else f"from{low}", _span_text(low, high)
    return QuestionOption(name, text, f"it lasts {text.lower()}")


def _span_text(low: int, high: int) -> str:
    if not high:
        return f"Over {low - 1} minutes"
    # The span below ends one before `low`, at a rounded number.
    return f"{low - 1} to {high} minutes" if low else f"Up to {high} minutes"


def years_text(low: int, high: int) -> str:
    """A span of years in words; 0 is an open end."""
    if not high:
        return f"{low} or newer"
    if not low:
        return f"{high} or older"
    return str(low) if low == high else f"{low} to {high}"


def _years_reason(low: int, high: int) -> str:
    if not high:
        return f"it is from {low} or newer"
    if not low:
        return f"it is from {high} or older"
    return f"it is from {low}" if low == high else f"it is from {low} to {high}"
