"""Retrieval: from a history to a few hundred titles, each with every source that proposed it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.faults import InvalidField
from libs.features.ranking_matrix import SOURCE_NAMES
from libs.models.flat_index import Selector
from libs.models.fold_in import fold_in
from libs.models.retrieval_model import RetrievalModel
from libs.models.top import top_rows

# Reciprocal rank fusion (Cormack, Clarke, Buettcher 2009) with the constant of the paper.
_FUSION: Final = 60.0
# How much each of SOURCE_NAMES counts: collaborative alone orders far better than the others do;
# they add what it misses (simulator: NDCG@10 .238 instead of .197 with equal weights, recall@500
# .958 instead of .948 without the others).
_WEIGHTS: Final = (8.0, 1.0, 1.0, 1.0)
# "similar" starts from this many of the newest titles, "content" from this much of the history.
_SEEDS: Final = 5
_CONTENT_HISTORY: Final = 30

# How deep sources are asked, in serving and in training, and how many candidates the ranker is
# trained on.
CANDIDATE_COUNT: Final = 500

# A title watched through every day of a year; far more would drown arithmetic in float32.
MOST_WEIGHT: Final = 1e4
# So many rows may be excluded, repeated ones too, however small the catalogue is.
LEAST_EXCLUDED: Final = 1_000

_Proposal = tuple[NDArray[np.int32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalQuery:
    """What to retrieve for; the arrays are typed as they travel, so both ends see the same bits.

    history_rows (h,) is newest first with history_weights (h,) > 0; available (n,) is what may be
    shown here and now; title_popularity (n,) is None where live counters are missing, and then
    the model's own, of its training time, stands in.
    """

    history_rows: NDArray[np.int32]
    history_weights: NDArray[np.float32]
    excluded_rows: NDArray[np.int32]
    available: NDArray[np.bool_]
    limit: int
    title_popularity: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise InvalidField("limit", "must be positive")
        if len(self.history_weights) != len(self.history_rows):
            raise InvalidField("history_weights", "must be as many as history_rows")
        if not np.all((self.history_weights > 0) & (self.history_weights <= MOST_WEIGHT)):
            raise InvalidField("history_weights", f"must be above 0 and at most {MOST_WEIGHT:g}")
        if len(np.unique(self.history_rows)) < len(self.history_rows):
            raise InvalidField("history_rows", "must be distinct")
        most = max(len(self.available), LEAST_EXCLUDED)
        if len(self.excluded_rows) > most:
            raise InvalidField("excluded_rows", f"must be at most {most}")
        for field, rows in (
            ("history_rows", self.history_rows),
            ("excluded_rows", self.excluded_rows),
        ):
            if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(self.available):
                raise InvalidField(field, f"must be rows from 0 to {len(self.available) - 1}")


@dataclass(frozen=True, slots=True, eq=False)
class Retrieved:
    """Candidates, best first, with their provenance by source."""

    rows: NDArray[np.int32]  # (m,), distinct
    source_names: tuple[str, ...]  # (s,)
    source_ranks: NDArray[np.int32]  # (m, s), from 0; -1 where the source did not propose it
    source_scores: NDArray[np.float32]  # (m, s), 0 where the source did not propose it


def retrieve(model: RetrievalModel, query: RetrievalQuery) -> Retrieved:
    """At most `limit` titles that are available and not excluded, merged by reciprocal rank.

    Deterministic: exact searches, ties by row. Fewer than `limit` only if fewer are allowed.
    """
    if len(query.available) != model.title_count:
        raise InvalidField("available", f"must have {model.title_count} rows")
    allowed = query.available.copy()
    allowed[query.excluded_rows] = False
    selector = Selector.of(allowed)
    # A short list is the beginning of a long one, with the ranks that training has seen.
    depth = max(query.limit, CANDIDATE_COUNT)
    half = (depth + 1) // 2
    return _merge(
        (
            _collaborative(model, query, selector, depth),
            _content(model, query, selector, half),
            _similar(model, query, selector, half),
            _popular(model, query, allowed, depth),
        ),
        model.title_count,
        query.limit,
    )


def nearest(
    model: RetrievalModel, row: int, available: NDArray[np.bool_], limit: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The `limit` available titles nearest to `row` by collaborative cosine, and the cosines."""
    allowed = available.copy()
    allowed[row] = False
    return model.unit_index.search(model.unit_vectors[row], limit, Selector.of(allowed))


def _collaborative(
    model: RetrievalModel, query: RetrievalQuery, selector: Selector, count: int
) -> _Proposal:
    if len(query.history_rows) == 0:
        return _nothing()
    taste = fold_in(model.vectors, model.implicit, query.history_rows, query.history_weights)
    return model.index.search(taste, count, selector)


def _content(
    model: RetrievalModel, query: RetrievalQuery, selector: Selector, count: int
) -> _Proposal:
    rows = query.history_rows[:_CONTENT_HISTORY]
    if len(rows) == 0:
        return _nothing()
    mean = np.einsum("hd,h->d", model.content[rows], query.history_weights[:_CONTENT_HISTORY])
    length = float(np.sqrt(np.einsum("d,d->", mean, mean)))
    if length == 0:
        return _nothing()
    return model.content_index.search((mean / length).astype(np.float32), count, selector)


def _similar(
    model: RetrievalModel, query: RetrievalQuery, selector: Selector, count: int
) -> _Proposal:
    seeds = query.history_rows[:_SEEDS]
    if len(seeds) == 0:
        return _nothing()
    each = -(-count // len(seeds))
    found = model.unit_index.search_each(model.unit_vectors[seeds], each, selector)
    rows = np.concatenate([rows for rows, _ in found])
    scores = np.concatenate([scores for _, scores in found])
    order = np.lexsort((-scores, rows))  # the best of each row comes first
    rows, scores = rows[order], scores[order]
    first = np.ones(len(rows), dtype=np.bool_)
    first[1:] = rows[1:] != rows[:-1]
    return _ranked(rows[first], scores[first])


def _popular(
    model: RetrievalModel, query: RetrievalQuery, allowed: NDArray[np.bool_], count: int
) -> _Proposal:
    popularity = model.popularity if query.title_popularity is None else query.title_popularity
    rows = np.flatnonzero(allowed).astype(np.int32)
    scores = popularity[rows]
    best = top_rows(scores, count)
    return rows[best], scores[best]


def _merge(proposals: tuple[_Proposal, ...], title_count: int, limit: int) -> Retrieved:
    # Tables over all rows, not sorted sets: a tenth of the time at a thousand titles, half of it
    # at a hundred thousand.
    fused_of = np.zeros(title_count)
    for (rows, _), weight in zip(proposals, _WEIGHTS, strict=True):
        fused_of[rows] += weight / (_FUSION + np.arange(len(rows), dtype=np.int32))
    union = np.flatnonzero(fused_of)
    best = union[np.argsort(-fused_of[union], kind="stable")[:limit]]
    place_of = np.full(title_count, -1, dtype=np.int32)
    place_of[best] = np.arange(len(best), dtype=np.int32)
    ranks = np.full((len(best), len(proposals)), -1, dtype=np.int32)
    scores = np.zeros((len(best), len(proposals)), dtype=np.float32)
    for source, (rows, source_scores) in enumerate(proposals):
        places = place_of[rows]
        kept = np.flatnonzero(places >= 0)
        ranks[places[kept], source] = kept
        scores[places[kept], source] = source_scores[kept]
    return Retrieved(best.astype(np.int32), SOURCE_NAMES, ranks, scores)


def _ranked(rows: NDArray[np.int32], scores: NDArray[np.float32]) -> _Proposal:
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]


def _nothing() -> _Proposal:
    return np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
