"""Credit: which recommended title an event counts for; an episode counts for its series."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title, TitleKind
from libs.features.title_table import TitleRows, TitleTable, aligned


@dataclass(frozen=True, slots=True, eq=False)
class Credit:
    """Every title id that counts for one of n rows; an id that is not here counts for none."""

    row_count: int
    row_of: Mapping[str, int]
    title_ids: tuple[str, ...]  # (c,), ascending
    rows: NDArray[np.int32]  # (c,), aligned with title_ids


def credit(titles: Iterable[Title], row_ids: tuple[str, ...]) -> Credit:
    """A title counts for its own row, an episode for its series, an extra for no other title."""
    own_row = {title_id: row for row, title_id in enumerate(row_ids)}
    row_of = dict(own_row)
    for title in titles:
        if title.kind is TitleKind.EPISODE and title.parent_id in own_row:
            row_of[title.title_id] = own_row[title.parent_id]
    title_ids = tuple(sorted(row_of))
    rows = np.fromiter((row_of[title_id] for title_id in title_ids), np.int32, len(title_ids))
    return Credit(len(row_ids), row_of, title_ids, rows)


def credited_rows(table: TitleTable, credit: Credit, country: str) -> TitleRows:
    """Counters (n, k) of the rows: of each title together with all that count for it."""
    single = aligned(table, credit.title_ids, country)
    return TitleRows(
        counters=_sum(single.counters, credit),
        country_counters=_sum(single.country_counters, credit),
    )


def _sum(values: NDArray[np.float32], credit: Credit) -> NDArray[np.float32]:
    total = np.zeros((credit.row_count, values.shape[1]), dtype=np.float32)
    # Most titles stand alone, and are copied at a hundredth of the cost of being added.
    is_alone = np.bincount(credit.rows, minlength=credit.row_count)[credit.rows] == 1
    total[credit.rows[is_alone]] = values[is_alone]
    if not is_alone.all():
        np.add.at(total, credit.rows[~is_alone], values[~is_alone])
    return total
