"""Counter rows: a number for each (country, title) of which anything is counted."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.features.event_columns import EventColumns

# The counters of all countries together are kept under no country.
ALL_COUNTRIES: Final = ""


class EventRows(NamedTuple):
    """The row (n,) that each event changes, and (n,) the one of what it undoes; −1 is none."""

    changed: NDArray[np.intp]
    undone: NDArray[np.intp]


class CounterRows:
    """The row numbers of (country, title) pairs, given out in order of appearance."""

    def __init__(self) -> None:
        self.keys: list[tuple[str, str]] = []
        self._place: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def row(self, country: str, title_id: str) -> int:
        """The row of the pair, new if need be."""
        key = (country, title_id)
        place = self._place.get(key)
        if place is None:
            place = self._place[key] = len(self.keys)
            self.keys.append(key)
        return place

    def of(
        self, columns: EventColumns, counts: NDArray[np.bool_]
    ) -> tuple["EventRows", "EventRows"]:
        """The rows of each event for all countries together, and for single ones.

        Only events that `counts` (n,), or that undo something, are given any.
        """
        titles = np.where(counts, columns.title, -1).astype(np.intp)
        undone = np.where(columns.undone != 0, columns.title, -1).astype(np.intp)
        everywhere = EventRows(
            *(
                self._lookup(one, np.zeros_like(one), columns.title_ids, (ALL_COUNTRIES,))
                for one in (titles, undone)
            )
        )
        own = EventRows(
            *(
                self._lookup(
                    np.where(countries >= 0, one, -1),
                    countries.astype(np.intp),
                    columns.title_ids,
                    columns.countries,
                )
                for one, countries in ((titles, columns.country), (undone, columns.undone_country))
            )
        )
        return everywhere, own

    def _lookup(
        self,
        titles: NDArray[np.intp],
        countries: NDArray[np.intp],
        title_ids: tuple[str, ...],
        country_ids: tuple[str, ...],
    ) -> NDArray[np.intp]:
        rows = np.full(len(titles), -1, np.intp)
        named = titles >= 0
        pairs, inverse = np.unique(
            countries[named] * len(title_ids) + titles[named], return_inverse=True
        )
        found = [
            self.row(country_ids[pair // len(title_ids)], title_ids[pair % len(title_ids)])
            for pair in pairs.tolist()
        ]
        rows[named] = np.array(found, np.intp)[inverse]
        return rows
