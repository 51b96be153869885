"""Everything that Recommend stands on, as fakes of its ports, to be broken one by one."""

import dataclasses
import math
from dataclasses import dataclass, field

from libs.domain.decision import Decision, Part, Purpose
from libs.domain.event import Event, EventKind, Rating
from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext
from libs.faults import BundleNotLoaded, Fault
from libs.features.catalogue_columns import CatalogueColumns, is_available
from libs.features.profile_state import EMPTY, ProfileState, replay
from libs.features.title_statistics import TitleStatistics, statistics
from libs.features.title_table import EMPTY as NO_COUNTERS
from libs.models.retrieval import RetrievalQuery, Retrieved, retrieve
from services.ranking.parts import Parts
from services.ranking.pipeline import Recommender
from services.ranking.ports import CandidateQuery
from services.ranking.query import Query
from services.ranking.recommendation import Recommendation
from services.ranking.shelf import Shelf
from tests.made_bundle import NOW_MS, VERSION, catalogue, ranker, retrieval

OLD_VERSION = "20251008T085320000Z-00000000"


@dataclass
class Shelves:
    current: Shelf | None
    before: Shelf | None = None

    def of_version(self, version: str) -> Shelf | None:
        held = (self.current, self.before)
        return next((one for one in held if one is not None and one.version == version), None)


@dataclass
class Profiles:
    profile: Profile | None = None
    state: ProfileState = EMPTY
    fault: Fault | None = None

    async def read(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        if self.fault:
            raise self.fault
        return self.profile, self.state


@dataclass
class Titles:
    fault: Fault | None = None

    async def read(
        self,
        tenant: str,
        country: str,
        columns: CatalogueColumns,
        *,
        as_of_ms: int | None,
        timeout_s: float,
    ) -> TitleStatistics:
        if self.fault:
            raise self.fault
        return statistics(NO_COUNTERS, columns, country)


@dataclass
class Candidates:
    """Real retrieval on the bundles that it holds."""

    shelves: dict[str, Shelf]
    fault: Fault | None = None
    asked: list[tuple[CandidateQuery, float]] = field(default_factory=list)

    async def retrieve(
        self, query: CandidateQuery, *, timeout_s: float
    ) -> tuple[Retrieved, tuple[Part, ...]]:
        self.asked.append((query, timeout_s))
        if self.fault:
            raise self.fault
        shelf = self.shelves.get(query.bundle_version)
        if shelf is None or shelf.model is None:
            raise BundleNotLoaded(query.bundle_version, tuple(self.shelves))
        question = RetrievalQuery(
            history_rows=query.history_rows,
            history_weights=query.history_weights,
            excluded_rows=query.excluded_rows,
            available=is_available(
                shelf.columns,
                query.context.country,
                NOW_MS,
                query.maturity_limit_years,
                query.kids,
            ),
            limit=query.limit,
        )
        return retrieve(shelf.model, question), ()


@dataclass
class Decisions:
    is_reachable: bool = True
    logged: list[Decision] = field(default_factory=list)

    def log(self, tenant: str, decision: Decision) -> None:
        self.logged.append(decision)


@dataclass
class Catalogue:
    is_connected: bool = True


class Suite:
    """Everything that Recommend stands on, to be broken one by one."""

    def __init__(self) -> None:
        new = Shelf.of(catalogue(), retrieval(), ranker())
        old = Shelf.of(catalogue(), retrieval(OLD_VERSION, seed=5), ranker(OLD_VERSION))
        self.shelves = Shelves(new, old)
        self.profiles = Profiles()
        self.titles = Titles()
        self.candidates = Candidates({VERSION: new, OLD_VERSION: old})
        self.decisions = Decisions()
        self.catalogue = Catalogue()

    @property
    def recommender(self) -> Recommender:
        parts = Parts(
            shelves=self.shelves,
            profiles=self.profiles,
            titles=self.titles,
            candidates=self.candidates,
            decisions=self.decisions,
            catalogue=self.catalogue,
        )
        return Recommender(parts, new_page_id=lambda: "page-1")

    async def ask(self, *, time_left_s: float = math.inf, **changes: object) -> Recommendation:
        query = Query(
            tenant="default",
            profile_id="p",
            limit=10,
            context=ViewingContext(country="PT"),
            purpose=Purpose.LIVE,
            now_ms=NOW_MS,
        )
        return await self.recommender.recommend(
            dataclasses.replace(query, **changes),  # type: ignore[arg-type]  # fields of Query
            lambda: time_left_s,
        )


def rated(*rows: int) -> ProfileState:
    """The state of a profile that gave five stars to these rows of the made bundle."""
    return replay(rated_events(*rows))


def rated_events(*rows: int) -> list[Event]:
    """What made that state."""
    return [
        Event(
            f"e{row}",
            "p",
            EventKind.RATING,
            1_000 + row,
            title_id=f"t{row:02d}",
            detail=Rating(5, 5),
        )
        for row in rows
    ]
