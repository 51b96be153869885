"""What ranking needs from others, as small protocols; adapters do not subclass them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from libs.domain.decision import Decision, Part, Purpose
from libs.domain.viewing import ViewingContext
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.title_statistics import TitleStatistics
from libs.models.retrieval import Retrieved
from services.ranking.shelf import Shelf


@dataclass(frozen=True, slots=True, eq=False)
class CandidateQuery:
    """What retrieval is asked; rows are those of the bundle named."""

    tenant: str
    bundle_version: str
    limit: int
    history_rows: NDArray[np.int32]  # (h,) newest first
    history_weights: NDArray[np.float32]  # (h,) > 0
    excluded_rows: NDArray[np.int32]  # (e,)
    context: ViewingContext
    kids: bool
    maturity_limit_years: int | None
    purpose: Purpose
    as_of_ms: int | None


class TitleFeatures(Protocol):
    """The feature store's counters of titles."""

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
        ...


class Candidates(Protocol):
    """Retrieval over the catalogue."""

    async def retrieve(
        self, query: CandidateQuery, *, timeout_s: float
    ) -> tuple[Retrieved, tuple[Part, ...]]:
        """Candidates, and what retrieval went without; raises a Fault, also BundleNotLoaded."""
        ...


class DecisionLog(Protocol):
    """Where decisions go after the answer."""

    @property
    def is_reachable(self) -> bool:
        """Whether the events service can be reached now."""
        ...

    def log(self, tenant: str, decision: Decision) -> None:
        """Take a decision without waiting; one that cannot be kept is counted as lost."""
        ...


class ShelfSource(Protocol):
    """The shelves that requests are answered from."""

    @property
    def current(self) -> Shelf | None:
        """The newest; None until the catalogue has been seen."""
        ...

    def of_version(self, version: str) -> Shelf | None:
        """The one of that bundle, if it is still held."""
        ...


class Catalogue(Protocol):
    """The feed of the catalogue."""

    @property
    def is_connected(self) -> bool:
        """Whether changes are arriving now."""
        ...
