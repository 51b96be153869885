"""The index: one bundle's retrieval model together with the catalogue as it is now."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.artifacts.hot_swap import Loaded
from libs.domain.title import Title
from libs.faults import BundleNotLoaded, PartUnavailable
from libs.features.catalogue_columns import CatalogueColumns, from_titles, is_recommendable
from libs.models.retrieval_model import RetrievalModel


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """n rows of one bundle, and what the catalogue says of each."""

    model: RetrievalModel
    columns: CatalogueColumns
    recommendable: NDArray[np.bool_]  # (n,)

    @staticmethod
    def of(model: RetrievalModel, titles: Mapping[str, Title]) -> "Index":
        """Align the catalogue with the bundle."""
        columns = from_titles(titles.values(), model.title_ids)
        return Index(model, columns, is_recommendable(columns))


class Indexes:
    """The indexes of the last two bundles; replaced as wholes, so a reader needs no lock."""

    def __init__(self, models: Loaded[RetrievalModel]) -> None:
        self._models = models
        self._built_from: tuple[int, tuple[str, ...]] | None = None
        self._indexes: tuple[Index, ...] = ()

    @property
    def loaded(self) -> tuple[Index, ...]:
        """Newest first; empty until a bundle and the catalogue are there."""
        return self._indexes

    @property
    def newest(self) -> Index:
        """The newest; raises PartUnavailable when there is none."""
        if not self._indexes:
            raise PartUnavailable("index", "no bundle is loaded")
        return self._indexes[0]

    def of_version(self, version: str) -> Index:
        """The one of that bundle; raises BundleNotLoaded, or PartUnavailable when none is."""
        self.newest  # noqa: B018 - without any index the cause is another one
        for index in self._indexes:
            if index.model.version == version:
                return index
        raise BundleNotLoaded(version, tuple(index.model.version for index in self._indexes))

    def refresh(self, titles: Mapping[str, Title], sequence: int) -> bool:
        """Look for a new bundle and align all with the catalogue of `sequence`; True if changed.

        Reads and verifies files: not for the event loop, and one caller at a time.
        """
        self._models.refresh()
        key = (sequence, self._models.versions)
        if key == self._built_from:
            return False
        models = [self._models.of_version(version) for version in self._models.versions]
        self._indexes = tuple(Index.of(model, titles) for model in models if model is not None)
        self._built_from = key
        return True
