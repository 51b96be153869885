"""Fits the two spaces of retrieval: iALS factors, content vectors and the map between them."""

from dataclasses import dataclass

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from libs.models.fold_in import Implicit
from libs.models.retrieval_model import RetrievalModel, to_unit_length
from training.config import CollaborativeConfig

# Inner products of the user step are small; more threads than this only wait for each other.
_THREADS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """The taste histories of p profiles as of one time, flattened."""

    starts: NDArray[np.int64]  # (p + 1,)
    rows: NDArray[np.int32]  # (m,)
    weights: NDArray[np.float32]  # (m,)

    @classmethod
    def of(cls, histories: list[tuple[NDArray[np.int32], NDArray[np.float32]]]) -> "Histories":
        """Flatten (rows, weights) of each profile."""
        starts = np.zeros(len(histories) + 1, dtype=np.int64)
        starts[1:] = np.cumsum([len(rows) for rows, _ in histories])
        empty = [(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))]
        rows, weights = zip(*(histories or empty), strict=True)
        return cls(starts, np.concatenate(rows), np.concatenate(weights))


def fit_retrieval(
    title_ids: tuple[str, ...],
    content: NDArray[np.float32],
    popularity: NDArray[np.float32],
    histories: Histories,
    config: CollaborativeConfig,
    seed: int,
) -> RetrievalModel:
    """A model of what `histories` show; titles that they hardly touch are placed by content."""
    factors = fit_factors(histories, len(title_ids), config, seed)
    support = np.bincount(histories.rows, minlength=len(title_ids))
    is_warm = support >= config.least_profiles
    vectors = factors.astype(np.float32)
    if is_warm.any() and not is_warm.all():
        mapped = map_content(content, factors, is_warm, config.map_regularization)
        vectors[~is_warm] = mapped[~is_warm].astype(np.float32)
    exact = factors.astype(np.float64)
    return RetrievalModel.of(
        title_ids=title_ids,
        vectors=vectors,
        content=content,
        popularity=popularity,
        implicit=Implicit(
            gram=np.einsum("nd,ne->de", exact, exact),
            regularization=config.regularization,
            alpha=config.alpha,
        ),
    )


def fit_factors(
    histories: Histories, title_count: int, config: CollaborativeConfig, seed: int
) -> NDArray[np.float32]:
    """The titles' iALS factors (n, d) (Hu, Koren, Volinsky 2008); the profiles' are dropped."""
    confidence = csr_matrix(
        (1.0 + config.alpha * histories.weights, histories.rows, histories.starts),
        shape=(len(histories.starts) - 1, title_count),
        dtype=np.float32,
    )
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=config.factors,
            regularization=config.regularization,
            alpha=1.0,  # the confidence is complete already
            iterations=config.iterations,
            use_cg=False,  # exact steps, as fold_in's
            num_threads=_THREADS,
            random_state=seed,
        )
        model.fit(confidence, show_progress=False)
    return np.asarray(model.item_factors, dtype=np.float32)


def map_content(
    content: NDArray[np.float32],
    factors: NDArray[np.float32],
    is_warm: NDArray[np.bool_],
    regularization: float,
) -> NDArray[np.float64]:
    """Collaborative vectors (n, d) guessed from content (n, e): ridge over the warm titles."""
    inputs = np.concatenate((content, np.ones((len(content), 1))), axis=1).astype(np.float64)
    warm = inputs[is_warm]
    left = warm.T @ warm + regularization * np.eye(warm.shape[1])
    return inputs @ np.linalg.solve(left, warm.T @ factors[is_warm].astype(np.float64))


def reduce_content(embeddings: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    """The principal components (n, at most `dimensions`) of embeddings (n, e), at length 1."""
    exact = embeddings.astype(np.float64)
    centred = exact - exact.mean(axis=0)
    # The covariance is e x e however many titles there are.
    _, axes = np.linalg.eigh(centred.T @ centred)
    kept = axes[:, ::-1][:, : min(dimensions, embeddings.shape[1])]
    return to_unit_length((centred @ kept).astype(np.float32))
