"""One request for features: who asks about which titles, and what the groups of features share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext, local_time
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.counters import Counters
from libs.features.evidence import NO_EVIDENCE, Evidence
from libs.features.profile_view import ProfileView, decayed, taste_places
from libs.features.title_block import TitleBlock

# The sources of retrieval, in the order of the columns of ranks and scores.
SOURCE_NAMES: Final = ("collaborative", "content", "similar", "popular")
# Stands for "never"; farther than any real age.
NEVER_DAYS: Final = 3650.0


@dataclass(frozen=True, slots=True, eq=False)
class Spaces:
    """The vectors of all n rows in the two spaces of retrieval, at length 1."""

    collaborative: NDArray[np.float32]  # (n, d)
    content: NDArray[np.float32]  # (n, e)


@dataclass(frozen=True, slots=True, eq=False)
class Viewer:
    """Who asks, from where and when; `profile` is None where nothing is stored."""

    profile: Profile | None
    view: ProfileView
    counters: Counters  # of PROFILE_COUNTER_NAMES
    context: ViewingContext
    at_ms: int
    evidence: Evidence = NO_EVIDENCE  # of this session, beside the history


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """What the newest history says, as shares that add up to 1 (all 0 without history)."""

    rows: NDArray[np.int32]  # (h,) newest first
    shares: NDArray[np.float32]  # (h,)
    genres: NDArray[np.float32]  # (g,)


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A viewer and n candidate `rows` in retrieval's order."""

    viewer: Viewer
    columns: CatalogueColumns
    block: TitleBlock
    spaces: Spaces
    rows: NDArray[np.int32]  # (n,)
    source_ranks: NDArray[np.int32]  # (n, s)
    source_scores: NDArray[np.float32]  # (n, s)
    now: NDArray[np.float64]  # (h, 4) the view's counters decayed to the request
    taste: Taste
    genres: NDArray[np.float32]  # (n, g) of the candidates, as in the block
    local: datetime

    @staticmethod
    def of(
        viewer: Viewer,
        columns: CatalogueColumns,
        block: TitleBlock,
        spaces: Spaces,
        *,
        rows: NDArray[np.int32],
        source_ranks: NDArray[np.int32],
        source_scores: NDArray[np.float32],
    ) -> "Request":
        """With what several groups of features need, made once."""
        now = decayed(viewer.view, viewer.at_ms)
        return Request(
            viewer=viewer,
            columns=columns,
            block=block,
            spaces=spaces,
            rows=rows,
            source_ranks=source_ranks,
            source_scores=source_scores,
            now=now,
            taste=_taste(viewer, now, block),
            genres=block.genre_weights.take(rows, axis=0),
            local=local_time(viewer.at_ms, _time_zone(viewer)),
        )


def _taste(viewer: Viewer, now: NDArray[np.float64], block: TitleBlock) -> Taste:
    places, weights = taste_places(viewer.view, now)
    rows, weights = viewer.evidence.joined(viewer.view.rows[places], weights)
    shares = weights / max(float(weights.sum(dtype=np.float64)), 1e-9)
    shares = shares.astype(np.float32)
    genres = np.einsum("hg,h->g", block.genre_weights[rows], shares)
    return Taste(rows, shares, genres)


def _time_zone(viewer: Viewer) -> str:
    return viewer.context.time_zone or (viewer.profile.time_zone if viewer.profile else "")
