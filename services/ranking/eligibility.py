"""Eligibility: which candidates may be shown, and why the others may not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import KIDS_MATURITY_YEARS
from libs.features.catalogue_columns import CatalogueColumns, is_available, is_recommendable
from libs.features.profile_view import ProfileView
from libs.features.seen import is_rated, is_watched_recently
from services.ranking.query import Audience

# The rules, the gravest first: a title that breaks several is removed by the first.
REASONS: Final = (
    "kids",
    "maturity",
    "not_recommendable",
    "not_licensed",
    "thumbed_down",
    "unwanted",
    "rated",
    "watched_recently",
)

NOTHING: Final[NDArray[np.int32]] = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Kept and removed places of the pool, both ascending; together they are all of it."""

    kept: NDArray[np.intp]  # (k,)
    removed: NDArray[np.intp]  # (n − k,)
    removed_reasons: tuple[str, ...]  # (n − k,)


def judge(
    rows: NDArray[np.int32],
    view: ProfileView,
    columns: CatalogueColumns,
    audience: Audience,
    at_ms: int,
    *,
    is_new_only: bool = True,
    unwanted: NDArray[np.int32] = NOTHING,
) -> Verdict:
    """Apply every rule to the candidates `rows` (n,); `is_new_only` those about what was seen.

    `unwanted` (u,) are rows that the request itself speaks against.

    Retrieval has left nearly all of them out already, so which rule it was is only asked of those
    that some rule removes.
    """
    history = {"thumbed_down": view.thumb < 0}
    if is_new_only:
        history["rated"] = is_rated(view)
        history["watched_recently"] = is_watched_recently(view, columns, at_ms)
    maturity, limit = columns.maturity_years, audience.maturity_limit_years
    shown = is_available(columns, audience.context.country, at_ms, limit, audience.kids)
    shown[unwanted] = False
    shown[view.rows[np.logical_or.reduce(list(history.values()))]] = False
    is_kept = shown[rows] & is_recommendable(columns)[rows]
    removed = np.flatnonzero(~is_kept)
    breaks: dict[str, NDArray[np.bool_]] = {}
    if len(removed):
        out = rows[removed]
        licensed = is_available(columns, audience.context.country, at_ms, None, False)
        if audience.kids:
            breaks["kids"] = maturity[out] > KIDS_MATURITY_YEARS
        if limit is not None:
            breaks["maturity"] = maturity[out] > limit
        breaks["not_recommendable"] = ~is_recommendable(columns)[out]
        breaks["not_licensed"] = ~licensed[out]
        breaks["unwanted"] = np.isin(out, unwanted)
        breaks.update((name, np.isin(out, view.rows[of_view])) for name, of_view in history.items())
    return Verdict(np.flatnonzero(is_kept), removed, _first_reasons(breaks, len(removed)))


def _first_reasons(breaks: Mapping[str, NDArray[np.bool_]], count: int) -> tuple[str, ...]:
    """The gravest rule that each of the removed (r,) breaks."""
    reason = np.full(count, -1, dtype=np.int8)
    for code, name in reversed(list(enumerate(REASONS))):
        if name in breaks:
            reason[breaks[name]] = code
    return tuple(REASONS[code] for code in reason.tolist())
