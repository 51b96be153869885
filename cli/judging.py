"""Whom `reprise evaluate` asks for, and what each of them did after the moment of the lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from libs.domain.profile import Profile
from libs.features.catalogue_columns import CatalogueColumns, is_available, is_recommendable
from libs.features.event_columns import EventColumns
from libs.simulation.world import World
from training.cuts import Cut
from training.judge import Case, Judged, best_allowed, judge, popular_lists, popularity_before
from training.labels import known_rows, relevant_rows, row_of_titles
from training.snapshots import draw

SEED: Final = 1

# Ranked rows of each profile, best first.
Lists: TypeAlias = Mapping[str, NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Question:
    """What to measure: lists of `at_ms` against what happened within the horizon after it."""

    at_ms: int
    horizon_ms: int
    most_profiles: int
    least_known: int = 0  # titles that a profile must have known by then, to be asked for

    @property
    def cut(self) -> Cut:
        """Lists know events until `at_ms`, itself included: labels begin a millisecond later."""
        return Cut(self.at_ms + 1, self.horizon_ms)


class Exam:
    """The profiles that did anything relevant within the horizon, and what was new to them."""

    def __init__(
        self,
        question: Question,
        catalogue: CatalogueColumns,
        columns: EventColumns,
        profiles: Sequence[Profile],
    ) -> None:
        self._question = question
        self._catalogue = catalogue
        self._profiles = {profile.profile_id: profile for profile in profiles}
        cut, count = question.cut, len(catalogue.title_ids)
        title_rows = row_of_titles(columns, catalogue.credit.row_of)
        known = known_rows(columns, title_rows, count, cut)
        self._known = {columns.profile_ids[index]: rows for index, rows in known.items()}
        relevant = relevant_rows(columns, title_rows, count, cut)
        warm = [one for one in sorted(relevant) if len(known.get(one, ())) >= question.least_known]
        rng = np.random.default_rng(SEED)
        self._relevant = {
            columns.profile_ids[index]: relevant[index]
            for index in draw(warm, question.most_profiles, rng)
        }
        self._popularity = popularity_before(columns, title_rows, count, cut.time_ms)

    @property
    def profile_ids(self) -> tuple[str, ...]:
        """Whom to ask for, ascending; some may have no history yet."""
        return tuple(sorted(self._relevant))

    def oracle(self, world: World) -> Lists:
        """The order by the simulator's own probabilities: nobody can do better but by luck."""
        row_of = {title_id: row for row, title_id in enumerate(self._catalogue.title_ids)}
        rows = np.array([row_of.get(title_id, -1) for title_id in world.recommendable_ids])
        lists = {}
        for profile_id in self.profile_ids:
            truth = world.oracle(profile_id, self._question.at_ms)
            scores = np.full(len(row_of), -1.0)
            scores[rows[rows >= 0]] = truth[rows >= 0]
            lists[profile_id] = best_allowed(scores, self._allowed(profile_id))
        return lists

    def judged(self, lists: Mapping[str, Lists]) -> tuple[Judged, ...]:
        """Each method, and the popular beside them, over the same profiles."""
        return judge(
            (
                Case(
                    self._relevant[profile_id],
                    {
                        **{name: ranked[profile_id] for name, ranked in lists.items()},
                        **popular_lists(self._popularity, self._allowed(profile_id)),
                    },
                )
                for profile_id in self.profile_ids
            ),
            SEED,
        )

    def _allowed(self, profile_id: str) -> NDArray[np.bool_]:
        """What could be shown (n,) to the profile at that time and was not known to it."""
        profile = self._profiles.get(profile_id, Profile(profile_id))
        allowed = is_recommendable(self._catalogue) & is_available(
            self._catalogue,
            profile.country,
            self._question.at_ms,
            profile.maturity_limit_years,
            profile.kids,
        )
        allowed[self._known.get(profile_id, [])] = False
        return allowed
