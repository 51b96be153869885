"""The parts of the suite that an answer rests on, and what stands in when one is away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.consent import Consent
from libs.domain.decision import Part, Purpose
from libs.domain.profile import Profile
from libs.faults import BundleNotLoaded, DeadlineSpent, Overloaded, PartUnavailable
from libs.features.catalogue_columns import is_available, is_recommendable
from libs.features.evidence import Evidence, session_evidence
from libs.features.profile_state import EMPTY as NO_HISTORY
from libs.features.profile_state import ProfileState, unexpired
from libs.features.profile_view import ProfileView, resolve, taste_history
from libs.features.ranking_matrix import SOURCE_NAMES
from libs.features.seen import disliked_rows, excluded_rows
from libs.features.title_statistics import TitleStatistics, statistics
from libs.features.title_table import EMPTY as NO_COUNTERS
from libs.models.retrieval import Retrieved
from libs.models.top import top_rows
from libs.serving.profile_features import ProfileFeatures
from services.ranking.ports import (
    CandidateQuery,
    Candidates,
    Catalogue,
    DecisionLog,
    ShelfSource,
    TitleFeatures,
)
from services.ranking.query import Audience, Query
from services.ranking.shelf import Shelf

# How many candidates are scored. Of the first ten of 200 and of 500 the NDCG is the same (simulator
# .345 and .343, MovieLens 1M .177 and .182, both inside their intervals), at 40% of the trees'
# time; a slate of a hundred needs the 500 (recall@100 .876 and .888, .314 and .337). A quiz's 500
# hold what is wanted as often whether they are of 600 or of 2,000 (make bench ONLY=quiz), and
# come 1.5 ms sooner.
LEAST_POOL: Final = 200
POOL_PER_PICK: Final = 5
ENOUGH_POOL: Final = 500
# For what may not be shown, where nearly as many are asked for.
SPARE_RATIO: Final = 0.2

# What each part may take of the time that is left when its turn comes. Only a past time is
# asked of another process; the present is read from memory and a file.
PROFILE_SHARE: Final = 0.3
TITLES_SHARE: Final = 0.3
CANDIDATES_SHARE: Final = 0.7

_AWAY: Final = (PartUnavailable, Overloaded, DeadlineSpent)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a composition root has chosen."""

    shelves: ShelfSource
    profiles: ProfileFeatures
    titles: TitleFeatures
    candidates: Candidates
    decisions: DecisionLog
    catalogue: Catalogue

    def reading(self, query: Query, time_left_s: Callable[[], float]) -> "Reading":
        """Begin one request; raises PartUnavailable before the first catalogue."""
        shelf = self.shelves.current
        if shelf is None:
            raise PartUnavailable("catalogue", "none has been received yet")
        return Reading(self, query, shelf, time_left_s)


class Reading:
    """What one request has read so far, and what it went without."""

    def __init__(
        self, parts: Parts, query: Query, shelf: Shelf, time_left_s: Callable[[], float]
    ) -> None:
        self._parts = parts
        self._query = query
        self._shelf = shelf
        self._time_left_s = time_left_s
        self._missing: set[Part] = set()
        # Whether the candidates are the popular ones because retrieval was away.
        self.is_fallback = False
        # Whether the profile refuses that what it did shapes the answer.
        self.is_contextual = False

    def missing(self) -> tuple[Part, ...]:
        """What the answer goes without, in the order of the contract."""
        if not self._parts.decisions.is_reachable:
            self._missing.add(Part.EVENTS)
        if not self._parts.catalogue.is_connected:
            self._missing.add(Part.CATALOGUE)
        return tuple(sorted(self._missing))

    def evidence(self, shelf: Shelf, state: ProfileState) -> Evidence:
        """What speaks for this session, over the rows of a shelf."""
        query, row_of = self._query, shelf.columns.credit.row_of
        return session_evidence(query.seeds, state.wishes, query.at_ms, row_of)

    async def profile(self) -> tuple[Profile | None, ProfileState, Audience]:
        """The profile, its features and for whom the answer must be fit."""
        query = self._query
        if query.is_anonymous:
            return None, NO_HISTORY, Audience.of(query.context, None)
        try:
            profile, state = await self._parts.profiles.read(
                query.tenant,
                query.profile_id,
                as_of_ms=query.as_of_ms,
                timeout_s=self._budget_s(PROFILE_SHARE),
            )
        except _AWAY:
            if query.purpose is Purpose.EVALUATION:
                raise
            self._missing.add(Part.FEATURES)
            return None, NO_HISTORY, Audience.unknown(query.context)
        if profile is not None and not profile.allows(Consent.PERSONALIZATION):
            # From here on nothing of it can reach the answer, nor the log of decisions.
            self.is_contextual, state = True, NO_HISTORY
        return profile, state, Audience.of(query.context, profile)

    async def titles(self, audience: Audience) -> TitleStatistics:
        """The counters of all titles; without them every title looks as if nobody knew it."""
        query, shelf = self._query, self._shelf
        try:
            return await self._parts.titles.read(
                query.tenant,
                audience.context.country,
                shelf.columns,
                as_of_ms=query.as_of_ms,
                timeout_s=self._budget_s(TITLES_SHARE),
            )
        except _AWAY:
            self._missing.add(Part.TITLE_FEATURES)
            return statistics(NO_COUNTERS, shelf.columns, audience.context.country)

    async def candidates(
        self, audience: Audience, state: ProfileState, titles: TitleStatistics
    ) -> tuple[Shelf, ProfileView, Retrieved]:
        """Candidates and the history, both over the rows of the shelf that comes with them.

        Without the ranker's bundle at candidates: those of another bundle, in retrieval order.
        Without candidates: what is popular in the country.
        """
        shelf = self._shelf
        if shelf.model is not None:
            try:
                return await self._retrieve(shelf, audience, state)
            except BundleNotLoaded as fault:
                held = map(self._parts.shelves.of_version, fault.loaded)
                other = next((found for found in held if found is not None), None)
                if other is not None:
                    try:
                        return await self._retrieve(other.without_ranker(), audience, state)
                    except (*_AWAY, BundleNotLoaded):
                        pass
            except _AWAY:
                pass
        self.is_fallback = True
        self._missing.add(Part.CANDIDATES)
        view = resolve(unexpired(state, self._query.at_ms), shelf.columns)
        at_ms, limit = self._query.at_ms, self._pool
        seen = excluded_rows(view, shelf.columns, at_ms)
        return shelf, view, popular(shelf, audience, seen, titles, at_ms, limit)

    def again(
        self, shelf: Shelf, audience: Audience, view: ProfileView, titles: TitleStatistics
    ) -> Retrieved:
        """When everything is seen already: what is popular and was not disliked, once more."""
        self.is_fallback = True
        at_ms, limit = self._query.at_ms, self._pool
        return popular(shelf, audience, disliked_rows(view), titles, at_ms, limit)

    async def _retrieve(
        self, shelf: Shelf, audience: Audience, state: ProfileState
    ) -> tuple[Shelf, ProfileView, Retrieved]:
        query = self._query
        view = resolve(unexpired(state, query.at_ms), shelf.columns)
        evidence = self.evidence(shelf, state)
        rows, weights = evidence.joined(*taste_history(view, query.at_ms))
        excluded = excluded_rows(view, shelf.columns, query.at_ms)
        retrieved, missing = await self._parts.candidates.retrieve(
            CandidateQuery(
                tenant=query.tenant,
                bundle_version=shelf.version,
                limit=self._pool,
                history_rows=rows,
                history_weights=weights,
                excluded_rows=np.union1d(excluded, evidence.unwanted).astype(np.int32)
                if len(evidence.unwanted)
                else excluded,
                context=audience.context,
                kids=audience.kids,
                maturity_limit_years=audience.maturity_limit_years,
                purpose=query.purpose,
                as_of_ms=query.as_of_ms,
            ),
            timeout_s=self._budget_s(CANDIDATES_SHARE),
        )
        self._missing.update(missing)
        if shelf.ranker is None:
            self._missing.add(Part.RANKER)
        return shelf, view, retrieved

    @property
    def _pool(self) -> int:
        limit = self._query.limit
        enough = min(POOL_PER_PICK * limit, ENOUGH_POOL)
        return max(LEAST_POOL, enough, limit + int(SPARE_RATIO * limit))

    def _budget_s(self, share: float) -> float:
        """A share of what is left; an EVALUATION drops nothing for being late."""
        return self._time_left_s() * (1.0 if self._query.purpose is Purpose.EVALUATION else share)


def popular(
    shelf: Shelf,
    audience: Audience,
    excluded: NDArray[np.int32],
    titles: TitleStatistics,
    at_ms: int,
    limit: int,
) -> Retrieved:
    """The most watched titles of the country that may be shown, but for `excluded` rows (e,)."""
    allowed = is_recommendable(shelf.columns) & is_available(
        shelf.columns, audience.context.country, at_ms, audience.maturity_limit_years, audience.kids
    )
    allowed[excluded] = False
    rows = np.flatnonzero(allowed).astype(np.int32)
    scores = titles.popularity[rows]
    best = top_rows(scores, limit)
    ranks = np.full((len(best), len(SOURCE_NAMES)), -1, dtype=np.int32)
    source_scores = np.zeros(ranks.shape, dtype=np.float32)
    source = SOURCE_NAMES.index("popular")
    ranks[:, source] = np.arange(len(best))
    source_scores[:, source] = scores[best]
    return Retrieved(rows[best], SOURCE_NAMES, ranks, source_scores)
