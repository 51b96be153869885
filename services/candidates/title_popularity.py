"""How popular the rows of an index are in a country: now, or as of a past time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from libs.features.catalogue_columns import CatalogueColumns
from libs.features.credit import credited_rows
from libs.features.title_block import popularity
from libs.features.title_table import TitleTable
from libs.serving.deadlines import Deadline
from libs.serving.title_tables import DerivedByCountry, LiveTables, PastTables
from services.candidates.index import Index

# Of the time left, for counters of a past time; retrieval itself takes milliseconds.
_PAST_SHARE = 0.8


def popularity_of(
    table: TitleTable, columns: CatalogueColumns, country: str
) -> NDArray[np.float32]:
    """(n,), each row together with the episodes that count for it."""
    return popularity(credited_rows(table, columns.credit, country))


class TitlePopularity:
    """Popularity by country, computed once for each table of counters."""

    def __init__(self, live: LiveTables, past: PastTables) -> None:
        self._live = live
        self._past = past
        # Of now for the two bundles that may be loaded, of past times for the last few.
        self._derived_live = DerivedByCountry(popularity_of, most_tables=2)
        self._derived_past = DerivedByCountry(popularity_of, most_tables=8)

    async def of(
        self, tenant: str, index: Index, country: str, as_of_ms: int | None, deadline: Deadline
    ) -> NDArray[np.float32]:
        """(n,) of the index's rows; raises a Fault when there are no counters, or not in time."""
        if as_of_ms is None:
            return self._derived_live.of(self._live.table(), index.columns, country)
        table = await self._past.table(
            tenant, country, as_of_ms=as_of_ms, timeout_s=deadline.share_s(_PAST_SHARE)
        )
        return self._derived_past.of(table, index.columns, country)

    def refresh(self, indexes: Sequence[Index]) -> None:
        """Follow the counters; raises PartUnavailable. Reads a file: not for the event loop."""

        def prepare(table: TitleTable) -> None:
            for index in reversed(indexes):
                self._derived_live.prepare(table, index.columns)

        self._live.refresh(prepare)
