"""The shelf: everything in memory that one request needs, of one bundle and one catalogue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from libs.artifacts.hot_swap import Loaded
from libs.domain.title import Title
from libs.features.catalogue_columns import CatalogueColumns, from_titles, recommendable_ids
from libs.features.ranking_matrix import Spaces
from libs.models.ranker import Ranker
from libs.models.retrieval_model import RetrievalModel

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """n titles as rows; with a bundle they are its rows, without one those of the catalogue."""

    title_ids: tuple[str, ...]  # (n,)
    columns: CatalogueColumns
    model: RetrievalModel | None
    ranker: Ranker | None
    spaces: Spaces | None  # with a bundle

    @property
    def version(self) -> str:
        """The bundle's version; empty without one."""
        return self.model.version if self.model is not None else ""

    @property
    def trained_until_ms(self) -> int:
        """Up to when the bundle has seen events; 0 without one."""
        return self.model.trained_until_ms if self.model is not None else 0

    def without_ranker(self) -> "Shelf":
        """The same rows, to be answered in the order of retrieval."""
        return replace(self, ranker=None)

    @staticmethod
    def of(
        titles: Mapping[str, Title], model: RetrievalModel | None, ranker: Ranker | None
    ) -> "Shelf":
        """Align the catalogue with the bundle."""
        if model is not None:
            title_ids, spaces = model.title_ids, Spaces(model.unit_vectors, model.content)
        else:
            title_ids, spaces = recommendable_ids(titles.values()), None
        columns = from_titles(titles.values(), title_ids)
        return Shelf(title_ids, columns, model, ranker, spaces)


class Shelves:
    """The newest shelf, rebuilt when the catalogue or the bundle has changed.

    Both parts of an answer are of one bundle: the newest for which this process holds retrieval
    and ranker, or else the newest for which it holds retrieval.
    """

    def __init__(
        self,
        retrieval: Loaded[RetrievalModel],
        ranker: Loaded[Ranker],
        catalogue: Callable[[], tuple[int, Mapping[str, Title]]],
    ) -> None:
        self._retrieval = retrieval
        self._ranker = ranker
        self._catalogue = catalogue
        self._built_from: tuple[int, str, bool, tuple[str, ...]] | None = None
        self._current: Shelf | None = None
        self._before: Shelf | None = None
        # Of a newer bundle that candidates may already serve while its ranker is not here.
        self._unranked: Shelf | None = None

    @property
    def current(self) -> Shelf | None:
        """None until the catalogue has been seen."""
        return self._current

    def of_version(self, version: str) -> Shelf | None:
        """The shelf of that bundle: the current, the one before, or a newer one unranked."""
        for shelf in (self._current, self._before, self._unranked):
            if shelf is not None and shelf.version == version:
                return shelf
        return None

    def refresh(self) -> bool:
        """Look for a new bundle and a changed catalogue; True when the shelf was rebuilt.

        Reads and verifies files: not for the event loop.
        """
        self._retrieval.refresh()
        self._ranker.refresh()
        catalogue_version, titles = self._catalogue()
        if catalogue_version == 0:
            return False
        version = self._serving_version()
        ranker = self._ranker.of_version(version)
        key = (catalogue_version, version, ranker is not None, self._retrieval.versions)
        if key == self._built_from:
            return False
        shelf = Shelf.of(titles, self._retrieval.of_version(version), ranker)
        if self._current is None or shelf.version != self._current.version:
            self._before = self._current
            log.info("shelf", bundle=shelf.version, has_ranker=ranker is not None)
        self._current = shelf
        newest = self._retrieval.current
        is_ahead = newest is not None and newest.version != version
        self._unranked = Shelf.of(titles, newest, None) if is_ahead else None
        self._built_from = key
        return True

    def _serving_version(self) -> str:
        held = self._retrieval.versions
        ranked = [version for version in held if self._ranker.of_version(version) is not None]
        return next(iter(ranked or held), "")
