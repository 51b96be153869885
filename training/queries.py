"""Past queries through the code that serves: retrieved and assembled as a service would have."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from libs.features.catalogue_columns import CatalogueColumns, is_available
from libs.features.profile_view import seen_rows, taste_history
from libs.features.ranking_matrix import Spaces, Viewer, assemble
from libs.features.seen import excluded_rows
from libs.features.title_statistics import TitleStatistics, statistics
from libs.features.title_table import TitleTable
from libs.models.retrieval import RetrievalQuery, Retrieved, retrieve
from libs.models.retrieval_model import RetrievalModel
from training.snapshots import Asked


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """One query with its candidates in retrieval's order."""

    asked: Asked
    new: NDArray[np.bool_]  # (n,) what could be shown and was not known before
    retrieved: Retrieved
    matrix: NDArray[np.float32]  # (m, f)


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Everything but the viewers at one time: models, titles and their counters as of then."""

    model: RetrievalModel
    columns: CatalogueColumns
    table: TitleTable
    _countries: dict[str, TitleStatistics] = field(default_factory=dict)

    def of_country(self, country: str) -> TitleStatistics:
        """What the counters say of all titles to requests from there."""
        found = self._countries.get(country)
        if found is None:
            found = self._countries[country] = statistics(self.table, self.columns, country)
        return found

    def retrieved(self, asked: Asked, limit: int) -> Retrieved:
        """The candidates of one query."""
        viewer = asked.viewer
        country = _country(viewer)
        rows, weights = viewer.evidence.joined(*taste_history(viewer.view, viewer.at_ms))
        return retrieve(
            self.model,
            RetrievalQuery(
                history_rows=rows,
                history_weights=weights,
                excluded_rows=excluded_rows(viewer.view, self.columns, viewer.at_ms),
                available=available_to(viewer, country, self.columns),
                limit=limit,
                title_popularity=self.of_country(country).popularity,
            ),
        )

    def answer(self, asked: Asked, limit: int) -> Answered:
        """Retrieve and assemble for one query."""
        viewer = asked.viewer
        country = _country(viewer)
        retrieved = self.retrieved(asked, limit)
        available = available_to(viewer, country, self.columns)
        available[seen_rows(viewer.view)] = False
        matrix = assemble(
            viewer,
            self.columns,
            self.of_country(country).block,
            Spaces(self.model.unit_vectors, self.model.content),
            rows=retrieved.rows,
            source_ranks=retrieved.source_ranks,
            source_scores=retrieved.source_scores,
        )
        return Answered(asked, available, retrieved, matrix)


def answers(moment: Moment, queries: tuple[Asked, ...], limit: int) -> Iterator[Answered]:
    """Each query answered, in order."""
    return (moment.answer(asked, limit) for asked in queries)


def _country(viewer: Viewer) -> str:
    return viewer.context.country or (viewer.profile.country if viewer.profile else "")


def available_to(viewer: Viewer, country: str, columns: CatalogueColumns) -> NDArray[np.bool_]:
    """What may be shown (n,) to this viewer at this moment."""
    profile = viewer.profile
    return is_available(
        columns,
        country,
        viewer.at_ms,
        profile.maturity_limit_years if profile else None,
        viewer.context.kids or (profile.kids if profile else False),
    )
