"""What counters say of all titles of a bundle, for requests from one country at one time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.features.catalogue_columns import CatalogueColumns
from libs.features.credit import credited_rows
from libs.features.title_block import TitleBlock, completion_rate, popularity, title_block
from libs.features.title_table import TitleTable


@dataclass(frozen=True, slots=True, eq=False)
class TitleStatistics:
    """All are aligned with the rows of one CatalogueColumns."""

    as_of_ms: int
    block: TitleBlock
    popularity: NDArray[np.float32]  # (n,)
    completion_rate: NDArray[np.float32]  # (n,) 0 to 1; the ranker gained nothing by it

    def age_ms(self, at_ms: int) -> int:
        """How old the counters are at `at_ms`; who keeps them decides from when they are none."""
        return max(at_ms - self.as_of_ms, 0)


def statistics(table: TitleTable, columns: CatalogueColumns, country: str) -> TitleStatistics:
    """The statistics of a table; costs milliseconds for thousands of titles, so keep them."""
    rows = credited_rows(table, columns.credit, country)
    return TitleStatistics(
        as_of_ms=table.as_of_ms,
        block=title_block(columns, rows),
        popularity=popularity(rows),
        completion_rate=completion_rate(rows),
    )
