"""What one tenant's quizzes are made of: its catalogue's traits and the bundle's vectors."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from libs.artifacts.hot_swap import Loaded
from libs.domain.title import Title
from libs.models.retrieval_model import RetrievalModel
from libs.models.taste_model import TasteModel
from libs.serving.waiting import on_thread
from services.recap.quiz.pack_shelf import NO_PACKS, PackShelf, PackTexts, shelf, texts
from services.recap.quiz.pool import Pool, rows_of
from services.recap.quiz.title_traits import TitleTraits

_LOOK_S: Final = 0.5
_FIRST_LOOK_S: Final = 0.02


class Catalogue(Protocol):
    """A tenant's titles; version 0 is before the first of them has arrived."""

    @property
    def titles(self) -> Mapping[str, Title]:
        """By id."""
        ...

    @property
    def version(self) -> int:
        """Grows with every change."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """One version of the catalogue, and the models that are loaded, the newest first."""

    catalogue_version: int
    titles: Mapping[str, Title]
    traits: TitleTraits
    models: tuple[RetrievalModel, ...] = ()
    tastes: tuple[TasteModel, ...] = ()
    shelf: PackShelf = NO_PACKS

    def pool(
        self, title_ids: Sequence[str], scores: NDArray[np.floating], bundle_version: str
    ) -> Pool:
        """The pool of what Recommend has answered, with what that bundle knows of it."""
        model = of_version(self.models, bundle_version)
        if model is None:
            return Pool.of(self.traits, title_ids, scores)
        found = rows_of(model.row_of, title_ids)
        is_known = found >= 0
        # A title that is newer than the bundle is near to nothing, and nobody has watched it.
        vectors = np.zeros((len(found), model.unit_vectors.shape[1]), np.float32)
        vectors[is_known] = model.unit_vectors[found[is_known]]
        popularity = np.zeros(len(found))
        popularity[is_known] = model.popularity[found[is_known]]
        return Pool.of(self.traits, title_ids, scores, popularity=popularity, vectors=vectors)


class Versioned(Protocol):
    """A part of a bundle."""

    @property
    def version(self) -> str:
        """The bundle's."""
        ...


VersionedT = TypeVar("VersionedT", bound=Versioned)


def of_version(models: Sequence[VersionedT], version: str) -> VersionedT | None:
    """The model of that version, or else the newest; None where no bundle has one."""
    exact = (model for model in models if model.version == version)
    return next(exact, models[0] if models else None)


class TenantMaterial:
    """A tenant's material, followed for as long as it is held."""

    def __init__(
        self,
        catalogue: Catalogue,
        models: Loaded[RetrievalModel],
        tastes: Loaded[TasteModel],
        packs_path: Path,
        warn: Callable[[str, PackTexts, Mapping[str, str]], None],
    ) -> None:
        """`warn` is told the newest bundle, the packs' texts and what is wrong with them."""
        self._catalogue = catalogue
        self._models = models
        self._tastes = tastes
        self._packs_path = packs_path
        self._warn = warn
        self._pack_texts: PackTexts = ()
        self._material = Material(0, {}, TitleTraits.of(()))
        self._filled = asyncio.Event()

    @property
    def catalogue(self) -> Catalogue:
        """The titles that it follows."""
        return self._catalogue

    @property
    def current(self) -> Material:
        """The newest; of no title before the first catalogue."""
        return self._material

    async def filled(self, within_s: float) -> bool:
        """Wait for the first catalogue, but no longer than that; whether it is there."""
        if not self._filled.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), within_s)
        return self._filled.is_set()

    async def run(self) -> None:
        """Follow catalogue, bundles and packs for ever, on a thread."""
        while True:
            await on_thread(self._refresh)
            if self._material.catalogue_version:
                self._filled.set()
            await asyncio.sleep(_LOOK_S if self._filled.is_set() else _FIRST_LOOK_S)

    def _refresh(self) -> None:
        models, tastes = _refreshed(self._models), _refreshed(self._tastes)
        version, titles = self._catalogue.version, self._catalogue.titles
        found = texts(self._packs_path)
        before = self._material
        is_same_catalogue = version == before.catalogue_version
        is_same_bundle = (models, tastes) == (before.models, before.tastes)
        if is_same_catalogue and is_same_bundle and found == self._pack_texts:
            return
        traits = before.traits if is_same_catalogue else TitleTraits.of(titles.values())
        packs = before.shelf
        if not is_same_catalogue or found != self._pack_texts:
            packs = shelf(found).over(traits.titles)
        if version:  # before the first catalogue no pack fits, which is nobody's fault
            self._warn(models[0].version if models else "", found, packs.problems)
        self._pack_texts = found
        self._material = Material(version, titles, traits, models, tastes, packs)


LoadedT = TypeVar("LoadedT")


def _refreshed(loaded: Loaded[LoadedT]) -> tuple[LoadedT, ...]:
    """What is loaded, the newest first, after a look for what is new."""
    loaded.refresh()
    held = (loaded.of_version(version) for version in loaded.versions)
    return tuple(model for model in held if model is not None)
