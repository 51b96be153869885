"""What the viewer already did with each candidate: looked up where something is known of it."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.features.feature import Feature, FeatureKind
from libs.features.profile_view import watched_ratio
from libs.features.request import NEVER_DAYS, Request
from libs.features.title_record import SIGHT_HALF_LIFE_MS, SIGHT_TTL_MS, TASTE_HALF_LIFE_MS


class HistoryFeature(NamedTuple):
    """A column, its values (h,) for the view's rows, and the one of rows that are not there."""

    feature: Feature
    of: Callable[[Request], NDArray[np.floating] | NDArray[np.bool_]]
    absent: float = 0.0


def _taste_feature(name: str, meaning: str) -> Feature:
    return Feature(name, meaning, FeatureKind.COUNTER, TASTE_HALF_LIFE_MS)


def _sight_feature(name: str, meaning: str) -> Feature:
    return Feature(name, meaning, FeatureKind.COUNTER, SIGHT_HALF_LIFE_MS)


HISTORY_FEATURES: Final[tuple[HistoryFeature, ...]] = (
    HistoryFeature(
        _taste_feature("pair_engagement", "how much of it you watched"),
        lambda request: request.now[:, 0],
    ),
    HistoryFeature(
        _taste_feature("pair_starts", "how often you started it"),
        lambda request: request.now[:, 1],
    ),
    HistoryFeature(
        _sight_feature("pair_impressions", "how often you were shown it"),
        lambda request: request.now[:, 2],
    ),
    HistoryFeature(
        _sight_feature("pair_clicks", "how often you opened it"),
        lambda request: request.now[:, 3],
    ),
    HistoryFeature(
        Feature("pair_days_since_watched", "when you watched it", FeatureKind.REGISTER),
        lambda request: _days_since(request.viewer.view.last_ms, request.viewer.at_ms),
        NEVER_DAYS,
    ),
    HistoryFeature(
        Feature("pair_days_since_shown", "when you were shown it", FeatureKind.REGISTER),
        lambda request: _days_since(
            request.viewer.view.shown_ms, request.viewer.at_ms, SIGHT_TTL_MS
        ),
        NEVER_DAYS,
    ),
    HistoryFeature(
        Feature("pair_watched_ratio", "the share you watched", FeatureKind.INTERVALS),
        lambda request: watched_ratio(request.viewer.view),
    ),
    HistoryFeature(
        Feature("pair_is_listed", "on your list", FeatureKind.REGISTER),
        lambda request: request.viewer.view.is_listed,
    ),
)
_ABSENT: Final = np.array([one.absent for one in HISTORY_FEATURES], np.float32)


def history_values(request: Request) -> NDArray[np.float32]:
    """The values (k, n) of HISTORY_FEATURES."""
    known_rows = request.viewer.view.rows
    count = len(known_rows)
    known = np.empty((len(HISTORY_FEATURES), count + 1), np.float32)
    for place, one in enumerate(HISTORY_FEATURES):
        known[place, :count] = one.of(request)
    known[:, count] = _ABSENT
    place_of = np.searchsorted(known_rows, request.rows)
    if count:
        # A row after the last is compared with the last, which it is not.
        is_other = known_rows.take(place_of, mode="clip") != request.rows
        place_of[is_other] = count
    return known.take(place_of, axis=1)


def _days_since(
    times_ms: NDArray[np.int64], at_ms: int, ttl_ms: float = NEVER_DAYS * DAY_MS
) -> NDArray[np.floating]:
    """Days (h,) since times (h,); NEVER_DAYS for 0, which is never, and for what has expired."""
    ages_ms = np.maximum(at_ms - times_ms, 0)
    is_present = (times_ms > 0) & (ages_ms <= ttl_ms)
    return np.where(is_present, ages_ms / DAY_MS, NEVER_DAYS)
