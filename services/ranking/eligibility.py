"""Eligibility: which candidates may be shown, and why the others may not."""

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
    "rated",
    "watched_recently",
)
_KEPT: Final = len(REASONS)


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
) -> Verdict:
    """Apply every rule to the candidates `rows` (n,); `is_new_only` those about what was seen."""
    maturity = columns.maturity_years[rows]
    limit = audience.maturity_limit_years
    licensed = is_available(columns, audience.context.country, at_ms, None, False)
    history = {"thumbed_down": view.thumb < 0}
    if is_new_only:
        history["rated"] = is_rated(view)
        history["watched_recently"] = is_watched_recently(view, columns, at_ms)
    breaks = {
        "kids": (maturity > KIDS_MATURITY_YEARS) if audience.kids else np.False_,
        "maturity": (maturity > limit) if limit is not None else np.False_,
        "not_recommendable": ~is_recommendable(columns)[rows],
        "not_licensed": ~licensed[rows],
        **{
            name: _marked(len(columns.kind), view.rows[of_view])[rows]
            for name, of_view in history.items()
        },
    }
    reason = np.full(len(rows), _KEPT, dtype=np.int8)
    for code, name in reversed(list(enumerate(REASONS))):
        reason[np.broadcast_to(breaks.get(name, np.False_), rows.shape)] = code
    removed = np.flatnonzero(reason < _KEPT)
    return Verdict(
        kept=np.flatnonzero(reason == _KEPT),
        removed=removed,
        removed_reasons=tuple(REASONS[code] for code in reason[removed].tolist()),
    )


def _marked(count: int, rows: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(count,), true at `rows`; looking up in it costs a tenth of searching `rows`."""
    marks = np.zeros(count, dtype=np.bool_)
    marks[rows] = True
    return marks
