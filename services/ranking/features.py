"""Title counters as ranking reads them: the present from memory, the past from events."""

from libs.features.catalogue_columns import CatalogueColumns
from libs.features.title_statistics import TitleStatistics, statistics
from libs.features.title_table import TitleTable
from libs.serving.title_tables import DerivedByCountry, LiveTables, PastTables


class StoredTitleFeatures:
    """Statistics of now are made of the table in memory, those of the past of one asked for."""

    def __init__(self, live: LiveTables, past: PastTables) -> None:
        self._live = live
        self._past = past
        self._derived_live = DerivedByCountry(statistics, most_tables=1)
        self._derived_past = DerivedByCountry(statistics, most_tables=8)

    async def read(
        self,
        tenant: str,
        country: str,
        columns: CatalogueColumns,
        *,
        as_of_ms: int | None,
        timeout_s: float,
    ) -> TitleStatistics:
        """What is known of the rows of `columns`; raises a Fault when that cannot be read."""
        if as_of_ms is None:
            return self._derived_live.of(self._live.table(), columns, country)
        table = await self._past.table(tenant, country, as_of_ms=as_of_ms, timeout_s=timeout_s)
        return self._derived_past.of(table, columns, country)

    def refresh(self, columns: CatalogueColumns | None) -> None:
        """Follow the counters; raises PartUnavailable. Reads a file: not for the event loop."""

        def prepare(table: TitleTable) -> None:
            if columns is not None:
                self._derived_live.prepare(table, columns)

        self._live.refresh(prepare)
