"""What a profile has seen, so that it is not recommended as if it were new."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.domain.title import TitleKind
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.profile_view import ProfileView

# A qualifying play: ten minutes, or 70% of what is shorter.
QUALIFYING_MS: Final = 10 * 60_000
QUALIFYING_SHARE: Final = 0.7

# How long a title that was watched stays out of slates of new things; a series under way
# belongs to what is unfinished, and a live stream is another one next month.
_AWAY_DAYS: Final = {TitleKind.MOVIE: 365, TitleKind.SERIES: 180, TitleKind.LIVE: 30}


def is_rated(view: ProfileView) -> NDArray[np.bool_]:
    """Which of the view's rows (h,) were ever given stars; a rating stands for a viewing."""
    return ~np.isnan(view.rating)


def is_watched_recently(
    view: ProfileView, columns: CatalogueColumns, at_ms: int
) -> NDArray[np.bool_]:
    """Which of the view's rows (h,) had a qualifying play, not longer ago than their kind asks."""
    enough_ms = np.minimum(QUALIFYING_MS, QUALIFYING_SHARE * view.duration_ms)
    away_days = np.full(np.iinfo(np.int8).max, max(_AWAY_DAYS.values()))
    for kind, days in _AWAY_DAYS.items():
        away_days[kind] = days
    is_watched: NDArray[np.bool_] = (view.watched_ms > 0) & (view.watched_ms >= enough_ms)
    is_watched |= view.completed_ms > 0
    is_watched &= at_ms - view.last_ms <= away_days[columns.kind[view.rows]] * DAY_MS
    return is_watched


def excluded_rows(view: ProfileView, columns: CatalogueColumns, at_ms: int) -> NDArray[np.int32]:
    """The rows (e,) not worth retrieving for this profile: seen, or thumbed down."""
    is_out = is_rated(view) | is_watched_recently(view, columns, at_ms) | (view.thumb < 0)
    return view.rows[is_out]


def disliked_rows(view: ProfileView) -> NDArray[np.int32]:
    """The rows (e,) that were thumbed down: not to be shown even where nothing else is left."""
    return view.rows[view.thumb < 0]
