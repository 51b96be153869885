"""Exact inner-product search over one matrix of vectors with FAISS, ties decided by row."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import faiss as typed_faiss
import numpy as np
from numpy.typing import NDArray

from libs.artifacts.manifest import BundleRejected

# The package's stubs are of the C++ signatures, not of the Python ones laid over them.
faiss: Final[Any] = typed_faiss

# Maps the file, so that processes share its pages; plain IO_FLAG_MMAP copies a flat index.
_READ_FLAGS: Final = faiss.IO_FLAG_MMAP_IFC


@dataclass(frozen=True, slots=True, eq=False)
class Selector:
    """The rows that a search may return."""

    count: int
    parameters: Any
    _bitmap: NDArray[np.uint8]  # FAISS holds a pointer to it

    @classmethod
    def of(cls, allowed: NDArray[np.bool_]) -> "Selector":
        """Selects the true rows of `allowed` (n,)."""
        bitmap = np.packbits(allowed, bitorder="little")
        parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bitmap))
        return cls(int(np.count_nonzero(allowed)), parameters, bitmap)


@dataclass(frozen=True, slots=True, eq=False)
class FlatIndex:
    """An exact index; its rows are those of the matrix that it was made from."""

    _index: Any
    row_count: int
    dimensions: int

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> "FlatIndex":
        """Index `vectors` (n, d) in memory."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors))
        return cls(index, len(vectors), vectors.shape[1])

    @classmethod
    def read(cls, file: Path) -> "FlatIndex":
        """The index in a file that was verified before; mapped, not copied."""
        try:
            index = faiss.read_index(str(file), _READ_FLAGS)
        except RuntimeError as error:
            raise BundleRejected(file, f"FAISS cannot read it: {error}") from None
        if not isinstance(index, faiss.IndexFlatIP):
            raise BundleRejected(file, f"holds a {type(index).__name__}, not an IndexFlatIP")
        return cls(index, index.ntotal, index.d)

    def write(self, file: Path) -> None:
        """Write the index as FAISS writes it."""
        faiss.write_index(self._index, str(file))

    def search(
        self, query: NDArray[np.float32], k: int, selector: Selector
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The k selected rows with the largest inner product with `query` (d,), and the products.

        Best first, ties by row; fewer only when fewer are selected; never a row of -1.
        """
        (found,) = self.search_each(query[None, :], k, selector)
        return found

    def search_each(
        self, queries: NDArray[np.float32], k: int, selector: Selector
    ) -> list[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        """As `search`, for each of `queries` (q, d) at the cost of one call of FAISS."""
        k = min(k, selector.count)
        if k <= 0:
            nothing = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
            return [nothing] * len(queries)
        # One more than asked shows whether the last place is tied, which FAISS decides anyhow.
        faiss.omp_set_num_threads(1)
        scores, rows = self._index.search(
            queries, min(k + 1, selector.count), params=selector.parameters
        )
        return [
            self._first(query, found_rows.astype(np.int32), found_scores, k, selector)
            for query, found_rows, found_scores in zip(queries, rows, scores, strict=True)
        ]

    def _first(
        self,
        query: NDArray[np.float32],
        rows: NDArray[np.int32],
        scores: NDArray[np.float32],
        k: int,
        selector: Selector,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        if len(rows) > k and scores[k] == scores[k - 1]:
            rows, scores = self._at_least(query, scores[k], selector)
        order = np.lexsort((rows, -scores))[:k]
        return rows[order], scores[order]

    def _at_least(
        self, query: NDArray[np.float32], least: np.float32, selector: Selector
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        below = float(np.nextafter(least, np.float32(-np.inf)))
        _, scores, rows = self._index.range_search(
            query[None, :], below, params=selector.parameters
        )
        return rows.astype(np.int32), scores
