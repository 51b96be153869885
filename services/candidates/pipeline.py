"""The request path of RetrieveCandidates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.domain.decision import Part
from libs.faults import Fault
from libs.features.catalogue_columns import is_available
from libs.models.retrieval import RetrievalQuery, Retrieved, retrieve
from libs.serving.deadlines import Deadline
from services.candidates.index import Index, Indexes
from services.candidates.query import CandidateQuery
from services.candidates.title_popularity import TitlePopularity


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Candidates of one bundle, and what they were found without."""

    bundle_version: str
    retrieved: Retrieved
    degraded: tuple[Part, ...]


class Retrieval:
    """Index of the bundle -> popularity of then -> what may be shown -> search."""

    def __init__(self, indexes: Indexes, popularity: TitlePopularity) -> None:
        self._indexes = indexes
        self._popularity = popularity

    async def candidates(self, query: CandidateQuery, deadline: Deadline) -> Answer:
        """Raises BundleNotLoaded, PartUnavailable without any index, InvalidField for bad rows."""
        index = self._indexes.of_version(query.bundle_version)
        popularity, degraded = await self._popularity_of(index, query, deadline)
        return Answer(index.model.version, candidates_of(index, query, popularity), degraded)

    async def _popularity_of(
        self, index: Index, query: CandidateQuery, deadline: Deadline
    ) -> tuple[NDArray[np.float32] | None, tuple[Part, ...]]:
        try:
            popularity = await self._popularity.of(
                query.tenant, index, query.country, query.as_of_ms, deadline
            )
        except Fault:
            return None, (Part.TITLE_FEATURES,)
        return popularity, ()


def candidates_of(
    index: Index, query: CandidateQuery, popularity: NDArray[np.float32] | None
) -> Retrieved:
    """The pure part: what the sources find among the titles that may be shown.

    `popularity` is (n,), or None to go by that of the bundle's training time.
    """
    available = index.recommendable & is_available(
        index.columns, query.country, query.at_ms, query.maturity_limit_years, query.kids
    )
    return retrieve(
        index.model,
        RetrievalQuery(
            history_rows=query.history_rows,
            history_weights=query.history_weights,
            excluded_rows=query.excluded_rows,
            available=available,
            limit=query.limit,
            title_popularity=popularity,
        ),
    )
