"""The retrieval part of a bundle: titles, their vectors in two spaces and the indexes over them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from libs.artifacts.manifest import BundleRejected, Manifest
from libs.models.array_files import map_array
from libs.models.flat_index import FlatIndex
from libs.models.fold_in import Implicit

RETRIEVAL_PART: Final = "retrieval"

_IDS: Final = "title_ids.json"
_SETTINGS: Final = "retrieval.json"


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalModel:
    """n titles that can be recommended, as rows; everything here is aligned with `title_ids`.

    Episodes and extras have no row: libs.features.credit says which row they count for. A title
    without events has a vector that was mapped from its content.
    """

    version: str
    trained_until_ms: int
    title_ids: tuple[str, ...]
    row_of: Mapping[str, int]
    vectors: NDArray[np.float32]  # (n, d), collaborative space
    unit_vectors: NDArray[np.float32]  # (n, d), the same at length 1
    content: NDArray[np.float32]  # (n, e), length 1, or 0 where there is no text
    popularity: NDArray[np.float32]  # (n,), at trained_until_ms
    implicit: Implicit
    index: FlatIndex
    unit_index: FlatIndex
    content_index: FlatIndex

    @property
    def title_count(self) -> int:
        """How many rows there are."""
        return len(self.title_ids)

    @classmethod
    def of(
        cls,
        *,
        title_ids: tuple[str, ...],
        vectors: NDArray[np.float32],
        content: NDArray[np.float32],
        popularity: NDArray[np.float32],
        implicit: Implicit,
        version: str = "",
        trained_until_ms: int = 0,
    ) -> "RetrievalModel":
        """A model in memory, with indexes built from the vectors."""
        unit_vectors = to_unit_length(vectors)
        return cls(
            version=version,
            trained_until_ms=trained_until_ms,
            title_ids=title_ids,
            row_of={title_id: row for row, title_id in enumerate(title_ids)},
            vectors=vectors,
            unit_vectors=unit_vectors,
            content=content,
            popularity=popularity,
            implicit=implicit,
            index=FlatIndex.of(vectors),
            unit_index=FlatIndex.of(unit_vectors),
            content_index=FlatIndex.of(content),
        )

    @classmethod
    def read(cls, folder: Path, manifest: Manifest) -> "RetrievalModel":
        """The model in a verified folder; arrays are mapped and shared between processes.

        Raises BundleRejected if the files do not belong together.
        """
        title_ids = tuple(_read_json(folder / _IDS))
        settings = _read_json(folder / _SETTINGS)
        model = cls(
            version=manifest.version,
            trained_until_ms=manifest.trained_until_ms,
            title_ids=title_ids,
            row_of={title_id: row for row, title_id in enumerate(title_ids)},
            vectors=map_array(folder / "vectors.npy"),
            unit_vectors=map_array(folder / "unit_vectors.npy"),
            content=map_array(folder / "content.npy"),
            popularity=map_array(folder / "popularity.npy"),
            implicit=Implicit(
                gram=map_array(folder / "gram.npy"),
                regularization=float(settings["regularization"]),
                alpha=float(settings["alpha"]),
            ),
            index=FlatIndex.read(folder / "vectors.faiss"),
            unit_index=FlatIndex.read(folder / "unit_vectors.faiss"),
            content_index=FlatIndex.read(folder / "content.faiss"),
        )
        _check_alignment(folder, model)
        return model

    def write(self, folder: Path) -> Mapping[str, tuple[int, ...]]:
        """Write all files into the folder; returns the shapes of those that hold arrays."""
        arrays: dict[str, NDArray[Any]] = {
            "vectors.npy": self.vectors,
            "unit_vectors.npy": self.unit_vectors,
            "content.npy": self.content,
            "popularity.npy": self.popularity,
            "gram.npy": self.implicit.gram,
        }
        for name, array in arrays.items():
            np.save(folder / name, array, allow_pickle=False)
        indexes = {
            "vectors.faiss": self.index,
            "unit_vectors.faiss": self.unit_index,
            "content.faiss": self.content_index,
        }
        for name, index in indexes.items():
            index.write(folder / name)
        (folder / _IDS).write_text(json.dumps(self.title_ids))
        (folder / _SETTINGS).write_text(
            json.dumps(
                {"regularization": self.implicit.regularization, "alpha": self.implicit.alpha}
            )
        )
        return {
            _IDS: (self.title_count,),
            **{name: array.shape for name, array in arrays.items()},
            **{name: (index.row_count, index.dimensions) for name, index in indexes.items()},
        }


def to_unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """`vectors` (n, d) at length 1; zeros stay zeros."""
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    return (vectors / np.where(lengths > 0, lengths, 1.0)[:, None]).astype(np.float32)


def _read_json(file: Path) -> Any:
    return json.loads(file.read_text())


def _check_alignment(folder: Path, model: RetrievalModel) -> None:
    count, dimensions = model.title_count, model.vectors.shape[1]
    content_dimensions = model.content.shape[1]
    if len(model.row_of) != count:
        raise BundleRejected(folder / _IDS, "names a title twice")
    expected: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
        "vectors.npy": (model.vectors.shape, (count, dimensions)),
        "unit_vectors.npy": (model.unit_vectors.shape, (count, dimensions)),
        "content.npy": (model.content.shape, (count, content_dimensions)),
        "popularity.npy": (model.popularity.shape, (count,)),
        "gram.npy": (model.implicit.gram.shape, (dimensions, dimensions)),
        "vectors.faiss": ((model.index.row_count, model.index.dimensions), (count, dimensions)),
        "unit_vectors.faiss": (
            (model.unit_index.row_count, model.unit_index.dimensions),
            (count, dimensions),
        ),
        "content.faiss": (
            (model.content_index.row_count, model.content_index.dimensions),
            (count, content_dimensions),
        ),
    }
    for name, (found, wanted) in expected.items():
        if found != wanted:
            raise BundleRejected(folder / name, f"has shape {found} instead of {wanted}")
