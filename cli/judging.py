"""Judges ranked lists by what profiles did after the moment that the lists are of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.domain.profile import Profile
from libs.features.catalogue_columns import CatalogueColumns, is_available, is_recommendable
from libs.features.event_columns import EventColumns
from libs.models.top import top_rows
from libs.simulation.world import World
from training.cuts import Cut
from training.evaluation import Interval, bootstrap, ndcg_at_k, recall_at_k
from training.labels import known_rows, relevant_rows, row_of_titles, watching

K: Final = 10
RECALL_AT: Final = 100
SEED: Final = 1
BASELINE: Final = "popular, 30 days"

# Ranked rows of each profile, best first.
Lists: TypeAlias = Mapping[str, NDArray[np.int32]]
# (ranked rows, relevant rows, k) -> a figure
Metric: TypeAlias = Callable[[NDArray[np.int32], NDArray[np.int32], int], float]


@dataclass(frozen=True, slots=True)
class Question:
    """What to measure: lists of `at_ms` against what happened within the horizon after it."""

    at_ms: int
    horizon_ms: int
    most_profiles: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One method over all profiles; `gain` is its NDCG less that of 30-day popularity, paired."""

    name: str
    ndcg: Interval
    recall: Interval
    gain: Interval


class Judge:
    """Knows, of every profile, what was new and relevant to it within the horizon."""

    def __init__(
        self,
        question: Question,
        catalogue: CatalogueColumns,
        columns: EventColumns,
        profiles: Sequence[Profile],
    ) -> None:
        self._question = question
        self._catalogue = catalogue
        self._columns = columns
        self._title_rows = row_of_titles(columns, catalogue.credit.row_of)
        self._profiles = {profile.profile_id: profile for profile in profiles}
        count = len(catalogue.title_ids)
        cut = Cut(question.at_ms, question.horizon_ms)
        relevant = relevant_rows(columns, self._title_rows, count, cut)
        known = known_rows(columns, self._title_rows, count, cut)
        warm = [index for index in relevant if index in known]
        if len(warm) > question.most_profiles:
            rng = np.random.default_rng(SEED)
            warm = sorted(rng.choice(warm, question.most_profiles, replace=False).tolist())
        self._relevant = {columns.profile_ids[index]: relevant[index] for index in warm}
        self._known = {columns.profile_ids[index]: known[index] for index in warm}

    @property
    def profile_ids(self) -> tuple[str, ...]:
        """The warm profiles with anything relevant, ascending."""
        return tuple(sorted(self._relevant))

    def baselines(self) -> dict[str, Lists]:
        """Everybody gets what was watched most, less what they may not see or have played."""
        at_ms = self._question.at_ms
        return {
            BASELINE: self._popular(at_ms - 30 * DAY_MS),
            "popular, all time": self._popular(0),
        }

    def oracle(self, world: World) -> Lists:
        """The order by the simulator's own probabilities: nobody can do better but by luck."""
        row_of = {title_id: row for row, title_id in enumerate(self._catalogue.title_ids)}
        rows = np.array([row_of.get(title_id, -1) for title_id in world.recommendable_ids])
        lists = {}
        for profile_id in self.profile_ids:
            truth = world.oracle(profile_id, self._question.at_ms)
            scores = np.full(len(row_of), -1.0, np.float32)
            scores[rows[rows >= 0]] = truth[rows >= 0]
            lists[profile_id] = self._best(profile_id, scores)
        return lists

    def ndcg(self, ranked: Lists) -> NDArray[np.float64]:
        """NDCG at K (p,), in the order of `profile_ids`."""
        return self._each(ranked, ndcg_at_k, K)

    def judged(self, lists: Mapping[str, Lists]) -> tuple[Judged, ...]:
        """Each method with its intervals over the same profiles."""
        ndcg = {name: self.ndcg(ranked) for name, ranked in lists.items()}
        return tuple(
            Judged(
                name=name,
                ndcg=bootstrap(ndcg[name], SEED),
                recall=bootstrap(self._each(ranked, recall_at_k, RECALL_AT), SEED),
                gain=bootstrap(ndcg[name] - ndcg[BASELINE], SEED),
            )
            for name, ranked in lists.items()
        )

    def _each(self, ranked: Lists, metric: Metric, k: int) -> NDArray[np.float64]:
        return np.array(
            [metric(ranked[one], self._relevant[one], k) for one in self.profile_ids], np.float64
        )

    def _popular(self, from_ms: int) -> Lists:
        scores = watching(
            self._columns,
            self._title_rows,
            len(self._catalogue.title_ids),
            from_ms,
            self._question.at_ms,
        ).astype(np.float32)
        return {profile_id: self._best(profile_id, scores) for profile_id in self.profile_ids}

    def _best(self, profile_id: str, scores: NDArray[np.float32]) -> NDArray[np.int32]:
        profile = self._profiles.get(profile_id, Profile(profile_id))
        allowed = is_recommendable(self._catalogue) & is_available(
            self._catalogue,
            profile.country,
            self._question.at_ms,
            profile.maturity_limit_years,
            profile.kids,
        )
        allowed[self._known[profile_id]] = False
        rows = np.flatnonzero(allowed).astype(np.int32)
        return rows[top_rows(scores[rows], RECALL_AT)]
