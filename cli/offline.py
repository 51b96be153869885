"""The suite's pure cores joined in one process: the same lists as served, without gRPC.

Nothing is written and no service is asked: events and catalogue are read from their files;
history and counters are replayed as of one time by the code that the services run.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from cli.present import recorded_log
from libs.artifacts.bundle import BundleStore, tenant_root
from libs.artifacts.manifest import BundleRejected
from libs.domain.decision import Decision, Part, Purpose
from libs.domain.identifiers import DEFAULT_TENANT
from libs.domain.profile import Profile
from libs.domain.viewing import UNKNOWN_CONTEXT, ViewingContext
from libs.faults import StartFault
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.profile_state import ProfileState, replay
from libs.features.title_replay import TitleReplay
from libs.features.title_statistics import TitleStatistics, statistics
from libs.features.title_table import TitleTable
from libs.models.ranker import RANKER_PART, Ranker
from libs.models.retrieval import Retrieved
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.serving.settings import SuiteSettings
from libs.serving.title_tables import DerivedByCountry
from libs.storage.catalogue_store import read_catalogue
from libs.storage.recorded_log import RecordedLog
from services.candidates.index import Index
from services.candidates.pipeline import candidates_of
from services.candidates.query import CandidateQuery as RetrievalQuestion
from services.candidates.title_popularity import popularity_of
from services.ranking.parts import Parts
from services.ranking.pipeline import RELEVANCE_WEIGHT, Recommender
from services.ranking.ports import CandidateQuery
from services.ranking.query import Query
from services.ranking.recommendation import Recommendation
from services.ranking.shelf import Shelf


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """The models of one published version; without a ranker lists are in retrieval's order."""

    retrieval: RetrievalModel
    ranker: Ranker | None


def read_bundle(store: BundleStore) -> Bundle | None:
    """The current bundle, whole; None without one. Raises BundleRejected for a damaged one."""
    version = store.current_version()
    if version is None:
        return None
    manifest = store.manifest(version)
    ranker = None
    if RANKER_PART in manifest.parts:
        ranker = Ranker.read(store.open_part(version, RANKER_PART), manifest)
    retrieval = RetrievalModel.read(store.open_part(version, RETRIEVAL_PART), manifest)
    return Bundle(retrieval, ranker)


class OfflineSuite:
    """Candidates and ranking of one bundle over the recorded events of one tenant."""

    def __init__(
        self,
        settings: SuiteSettings,
        tenant: str,
        bundle: Bundle,
        *,
        relevance_weight: float = RELEVANCE_WEIGHT,
    ) -> None:
        titles = {
            title.title_id: title for title in read_catalogue(settings.catalogue_path, tenant)
        }
        self.tenant = tenant
        self.log = recorded_log(settings)
        self.shelf = Shelf.of(titles, bundle.retrieval, bundle.ranker)
        replayed = TitleReplay(
            lambda after, to: self.log.columns_between(tenant, after, to),
            lambda: self.log.title_base(tenant),
        )
        tables = _Tables(replayed)
        stored = {profile.profile_id: profile for profile in self.log.profiles(tenant)}
        self._recommender = Recommender(
            Parts(
                shelves=_OneShelf(self.shelf),
                profiles=_Profiles(self.log, stored),
                titles=_Titles(tables),
                candidates=_Candidates(Index.of(bundle.retrieval, titles), tables),
                decisions=_NoDecisions(),
                catalogue=_Connected(),
            ),
            new_page_id=lambda: "",
            relevance_weight=relevance_weight,
        )

    def lists(
        self,
        profile_ids: Iterable[str],
        *,
        at_ms: int,
        limit: int,
        context: ViewingContext = UNKNOWN_CONTEXT,
        on_done: Callable[[], None] = lambda: None,
    ) -> dict[str, Recommendation]:
        """What Recommend with purpose EVALUATION answers each profile at `at_ms`."""

        async def run() -> dict[str, Recommendation]:
            answers = {}
            for profile_id in profile_ids:
                query = Query(
                    tenant=self.tenant,
                    profile_id=profile_id,
                    limit=limit,
                    context=context,
                    purpose=Purpose.EVALUATION,
                    now_ms=at_ms,
                    as_of_ms=at_ms,
                )
                answers[profile_id] = await self._recommender.recommend(query, lambda: math.inf)
                on_done()
            return answers

        # As a service does: products of larger matrices differ in their last bits by the number of
        # threads that BLAS has, and one of 1,238 lists of 100 titles did in its last place.
        with threadpool_limits(limits=1):
            return asyncio.run(run())


class _Tables:
    """The title table of the time that was asked last."""

    def __init__(self, replayed: TitleReplay) -> None:
        self._replayed = replayed
        self._table: TitleTable | None = None

    def at(self, as_of_ms: int) -> TitleTable:
        if self._table is None or self._table.as_of_ms != as_of_ms:
            self._table = self._replayed.table(as_of_ms)
        return self._table


@dataclass(frozen=True, slots=True, eq=False)
class _OneShelf:
    current: Shelf

    def of_version(self, version: str) -> Shelf | None:
        return self.current if version == self.current.version else None


@dataclass(frozen=True, slots=True, eq=False)
class _Profiles:
    log: RecordedLog
    stored: dict[str, Profile]

    async def read(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        events = self.log.events_of(tenant, profile_id, _given(as_of_ms) + 1)
        return self.stored.get(profile_id), replay(events, self.log.base_of(tenant, profile_id))


class _Titles:
    def __init__(self, tables: _Tables) -> None:
        self._tables = tables
        self._statistics = DerivedByCountry(statistics, most_tables=1)

    async def read(
        self,
        tenant: str,
        country: str,
        columns: CatalogueColumns,
        *,
        as_of_ms: int | None,
        timeout_s: float,
    ) -> TitleStatistics:
        return self._statistics.of(self._tables.at(_given(as_of_ms)), columns, country)


class _Candidates:
    def __init__(self, index: Index, tables: _Tables) -> None:
        self._index = index
        self._tables = tables
        self._popularity = DerivedByCountry(popularity_of, most_tables=1)

    async def retrieve(
        self, query: CandidateQuery, *, timeout_s: float
    ) -> tuple[Retrieved, tuple[Part, ...]]:
        as_of_ms, country = _given(query.as_of_ms), query.context.country
        question = RetrievalQuestion(
            tenant=query.tenant,
            bundle_version=query.bundle_version,
            limit=query.limit,
            history_rows=query.history_rows,
            history_weights=query.history_weights,
            excluded_rows=query.excluded_rows,
            country=country,
            kids=query.kids,
            maturity_limit_years=query.maturity_limit_years,
            now_ms=as_of_ms,
            as_of_ms=as_of_ms,
        )
        table = self._tables.at(as_of_ms)
        scores = self._popularity.of(table, self._index.columns, country)
        return candidates_of(self._index, question, scores), ()


@dataclass(frozen=True, slots=True)
class _NoDecisions:
    is_reachable: bool = True

    def log(self, tenant: str, decision: Decision) -> None:
        raise AssertionError("an evaluation logs nothing")


@dataclass(frozen=True, slots=True)
class _Connected:
    is_connected: bool = True


def _given(as_of_ms: int | None) -> int:
    if as_of_ms is None:
        raise AssertionError("offline answers are of a stated time")
    return as_of_ms


def current_bundle(settings: SuiteSettings, tenant: str = DEFAULT_TENANT) -> Bundle:
    """The published bundle; raises StartFault when there is none that can be used."""
    try:
        bundle = read_bundle(BundleStore(tenant_root(settings.bundles_path, tenant)))
    except BundleRejected as rejected:
        raise StartFault(f"the published bundle cannot be used: {rejected}") from rejected
    if bundle is None:
        raise StartFault("no bundle is published; `reprise train` makes one")
    return bundle
