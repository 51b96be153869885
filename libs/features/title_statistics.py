"""What counters say of all titles of a bundle, for requests from one country at one time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.features.catalogue_columns import CatalogueColumns
from libs.features.credit import credited_rows
from libs.features.title_block import TitleBlock, popularity, title_block
from libs.features.title_table import TitleTable


@dataclass(frozen=True, slots=True, eq=False)
class TitleStatistics:
    """Both are aligned with the rows of one CatalogueColumns."""

    as_of_ms: int
    block: TitleBlock
    popularity: NDArray[np.float32]  # (n,)


def statistics(table: TitleTable, columns: CatalogueColumns, country: str) -> TitleStatistics:
    """The statistics of a table; costs milliseconds for thousands of titles, so keep them."""
    rows = credited_rows(table, columns.credit, country)
    return TitleStatistics(table.as_of_ms, title_block(columns, rows), popularity(rows))
