"""The ranker's features of one request: the one definition, for training and for serving."""

from dataclasses import dataclass
from math import cos, log1p, pi, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.domain.profile import Profile
from libs.domain.viewing import Device, ViewingContext, local_time
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.counters import Counters, decay
from libs.features.daypart import DAYPART_COUNT, daypart
from libs.features.profile_state import PROFILE_COUNTER_NAMES, PROFILE_HALF_LIVES_MS
from libs.features.profile_view import ProfileView, decayed, taste_history
from libs.features.title_block import TITLE_FEATURE_NAMES, TitleBlock

# The sources of retrieval, in the order of the columns of ranks and scores.
SOURCE_NAMES: Final = ("collaborative", "content", "similar", "popular")

# The newest titles that candidates are compared with one by one.
_RECENT: Final = 5
# The titles that make up the mean taste in content space.
_TASTE: Final = 30
# Stands for "never" and for "not proposed"; farther than any real age or rank.
_NEVER_DAYS: Final = 3650.0
_NO_RANK: Final = 5000.0

_CONTEXT_NAMES: Final = (
    "context_hour_sin",
    "context_hour_cos",
    "context_is_weekend",
    *(f"context_device_{device.name.lower()}" for device in Device),
)
_PROFILE_NAMES: Final = (
    "profile_engagement",
    "profile_starts",
    "profile_impressions",
    "profile_start_rate",
    "profile_title_count",
    "profile_days_idle",
    "profile_device_share",
    "profile_daypart_share",
    "profile_genre_focus",
)
_PAIR_NAMES: Final = (
    "title_age_days",
    "title_device_lift",
    "title_daypart_lift",
    "pair_genre_affinity",
    "pair_language_share",
    "pair_language_is_spoken",
    "pair_country_share",
    "pair_kind_share",
    "pair_engagement",
    "pair_starts",
    "pair_impressions",
    "pair_clicks",
    "pair_days_since_watched",
    "pair_days_since_shown",
    "pair_watched_ratio",
    "pair_is_listed",
    "pair_recent_collaborative",
    "pair_recent_content",
    "pair_mean_collaborative",
    "pair_taste_content",
)
_RETRIEVAL_NAMES: Final = (
    "retrieval_rank",
    "retrieval_source_count",
    *(f"retrieval_rank_{source}" for source in SOURCE_NAMES),
    *(f"retrieval_score_{source}" for source in SOURCE_NAMES),
)

# Every column of the matrix, in its order; a ranker names the same or is refused.
FEATURE_NAMES: Final = (
    *TITLE_FEATURE_NAMES,
    *_PAIR_NAMES,
    *_RETRIEVAL_NAMES,
    *_PROFILE_NAMES,
    *_CONTEXT_NAMES,
)

_PROFILE_COLUMN: Final = {name: column for column, name in enumerate(PROFILE_COUNTER_NAMES)}


@dataclass(frozen=True, slots=True, eq=False)
class Spaces:
    """The vectors of all n rows in the two spaces of retrieval, at length 1."""

    collaborative: NDArray[np.float32]  # (n, d)
    content: NDArray[np.float32]  # (n, e)


@dataclass(frozen=True, slots=True, eq=False)
class Viewer:
    """Who asks, from where and when; `profile` is None where nothing is stored."""

    profile: Profile | None
    view: ProfileView
    counters: Counters  # of PROFILE_COUNTER_NAMES
    context: ViewingContext
    at_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class _Taste:
    """What the newest history says, as shares that add up to 1 (all 0 without history)."""

    rows: NDArray[np.int32]  # (h,) newest first
    shares: NDArray[np.float32]  # (h,)
    genres: NDArray[np.float32]  # (g,)


def assemble(
    viewer: Viewer,
    columns: CatalogueColumns,
    block: TitleBlock,
    spaces: Spaces,
    *,
    rows: NDArray[np.int32],
    source_ranks: NDArray[np.int32],
    source_scores: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The matrix (n, f) of FEATURE_NAMES for the candidates `rows` (n,) in retrieval's order.

    `source_ranks` and `source_scores` (n, s) are as retrieved. Always finite.
    """
    taste = _taste(viewer, block)
    matrix = np.empty((len(rows), len(FEATURE_NAMES)), dtype=np.float32)
    first = 0
    for group in (
        block.values[rows],
        np.stack(_pair(viewer, taste, columns, block, spaces, rows), axis=1),
        np.concatenate(_retrieval(source_ranks, source_scores), axis=1),
        np.array((*_profile(viewer, taste), *_context(viewer)), dtype=np.float32),
    ):
        matrix[:, first : first + group.shape[-1]] = group
        first += group.shape[-1]
    return matrix


def _taste(viewer: Viewer, block: TitleBlock) -> _Taste:
    rows, weights = taste_history(viewer.view, viewer.at_ms)
    shares = weights / max(float(weights.sum(dtype=np.float64)), 1e-9)
    shares = shares.astype(np.float32)
    return _Taste(rows, shares, np.einsum("hg,h->g", block.genre_weights[rows], shares))


def _pair(
    viewer: Viewer,
    taste: _Taste,
    columns: CatalogueColumns,
    block: TitleBlock,
    spaces: Spaces,
    rows: NDArray[np.int32],
) -> list[NDArray[np.float32]]:
    """_PAIR_NAMES, each (n,)."""
    local = local_time(viewer.at_ms, _time_zone(viewer))
    release_ms = columns.release_ms[rows]
    age_days = np.where(release_ms > 0, (viewer.at_ms - release_ms) / DAY_MS, _NEVER_DAYS)
    spoken = viewer.profile.languages if viewer.profile else ()
    is_spoken = np.array([language in spoken for language in columns.languages], np.float32)
    language, country, kind = columns.language[rows], columns.country[rows], columns.kind[rows]
    return [
        age_days.astype(np.float32),
        block.device_lift[rows, viewer.context.device],
        block.daypart_lift[rows, daypart(local)],
        np.einsum("ng,g->n", block.genre_weights[rows], taste.genres),
        _shares_by_code(columns.language, taste, len(columns.languages))[language],
        is_spoken[language],
        _shares_by_code(columns.country, taste, len(columns.countries))[country],
        _shares_by_code(columns.kind, taste, np.iinfo(np.int8).max)[kind],
        *_history_of(viewer, rows),
        *_nearness(taste, spaces, rows),
    ]


def _history_of(viewer: Viewer, rows: NDArray[np.int32]) -> list[NDArray[np.float32]]:
    """What this profile already did with each candidate; zeros and "never" where nothing."""
    view = viewer.view
    known = np.empty((len(view.rows) + 1, 8), dtype=np.float32)
    known[-1] = (0, 0, 0, 0, _NEVER_DAYS, _NEVER_DAYS, 0, 0)  # taken by all that is not known
    known[:-1, :4] = decayed(view, viewer.at_ms)
    known[:-1, 4] = _days_since(view.last_ms, viewer.at_ms)
    known[:-1, 5] = _days_since(view.shown_ms, viewer.at_ms)
    known[:-1, 6] = np.minimum(view.watched_ms / np.maximum(view.duration_ms, 1), 1.0)
    known[:-1, 7] = view.is_listed
    place = np.searchsorted(view.rows, rows)
    is_known = place < len(view.rows)
    is_known[is_known] = view.rows[place[is_known]] == rows[is_known]
    return list(known[np.where(is_known, place, len(view.rows))].T)


def _nearness(taste: _Taste, spaces: Spaces, rows: NDArray[np.int32]) -> list[NDArray[np.float32]]:
    """Cosines with the newest titles (the largest, then the mean) and with the mean taste."""
    if len(taste.rows) == 0:
        return [np.zeros(len(rows), dtype=np.float32)] * 4
    newest = taste.rows[:_RECENT]
    # einsum, not BLAS: its bits do not depend on the number of threads or of rows.
    collaborative = np.einsum("kd,nd->kn", spaces.collaborative[newest], spaces.collaborative[rows])
    content_rows = spaces.content[rows]
    content = np.einsum("kd,nd->kn", spaces.content[newest], content_rows)
    mean = np.einsum("hd,h->d", spaces.content[taste.rows[:_TASTE]], taste.shares[:_TASTE])
    length = max(float(np.sqrt(np.einsum("d,d->", mean, mean))), 1e-9)
    return [
        collaborative.max(axis=0),
        content.max(axis=0),
        collaborative.mean(axis=0),
        np.einsum("nd,d->n", content_rows, mean) / np.float32(length),
    ]


def _retrieval(
    source_ranks: NDArray[np.int32], source_scores: NDArray[np.float32]
) -> tuple[NDArray[np.float32], ...]:
    """_RETRIEVAL_NAMES, as blocks (n, ...)."""
    is_proposed = source_ranks >= 0
    order = np.log1p(np.arange(len(source_ranks), dtype=np.float32))
    ranks = np.log1p(np.where(is_proposed, source_ranks, _NO_RANK).astype(np.float32))
    count = is_proposed.sum(axis=1, dtype=np.float32)
    return order[:, None], count[:, None], ranks, source_scores


def _profile(viewer: Viewer, taste: _Taste) -> tuple[float, ...]:
    """_PROFILE_NAMES."""
    counters = viewer.counters
    now = decay(counters.values, counters.at_ms, viewer.at_ms, PROFILE_HALF_LIVES_MS)
    engagement, starts, impressions = (
        float(now[_PROFILE_COLUMN[name]]) for name in ("engagement", "starts", "impressions")
    )
    part = daypart(local_time(viewer.at_ms, _time_zone(viewer)))
    on_device = float(
        now[_PROFILE_COLUMN[f"engagement_device_{viewer.context.device.name.lower()}"]]
    )
    in_daypart = float(now[_PROFILE_COLUMN[f"engagement_daypart_{part}"]])
    newest_ms = int(viewer.view.last_ms.max(initial=0))
    return (
        log1p(engagement),
        log1p(starts),
        log1p(impressions),
        (starts + 0.05) / (impressions + 1.0),
        log1p(len(taste.rows)),
        min((viewer.at_ms - newest_ms) / DAY_MS, _NEVER_DAYS) if newest_ms else _NEVER_DAYS,
        (on_device + 1.0 / len(Device)) / (engagement + 1.0),
        (in_daypart + 1.0 / DAYPART_COUNT) / (engagement + 1.0),
        float(np.sqrt(np.einsum("g,g->", taste.genres, taste.genres))),
    )


def _context(viewer: Viewer) -> tuple[float, ...]:
    """_CONTEXT_NAMES."""
    local = local_time(viewer.at_ms, _time_zone(viewer))
    angle = 2 * pi * (local.hour + local.minute / 60) / 24
    on = [float(device is viewer.context.device) for device in Device]
    return (sin(angle), cos(angle), float(local.weekday() >= 5), *on)


def _time_zone(viewer: Viewer) -> str:
    return viewer.context.time_zone or (viewer.profile.time_zone if viewer.profile else "")


def _shares_by_code(
    codes: NDArray[np.int16] | NDArray[np.int8], taste: _Taste, count: int
) -> NDArray[np.float32]:
    shares = np.bincount(codes[taste.rows], taste.shares, minlength=count)
    return shares.astype(np.float32)


def _days_since(times_ms: NDArray[np.int64], at_ms: int) -> NDArray[np.float64]:
    days = np.maximum((at_ms - times_ms) / DAY_MS, 0.0)
    return np.where(times_ms > 0, np.minimum(days, _NEVER_DAYS), _NEVER_DAYS)
