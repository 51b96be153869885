"""The composition root of ranking: `python -m services.ranking`."""

import asyncio
import sys
import uuid

import structlog
from prometheus_client import Counter

from libs.artifacts.bundle import BundleStore, tenant_root, tenants_below
from libs.artifacts.hot_swap import Loaded, Rejection
from libs.domain.identifiers import DEFAULT_TENANT
from libs.models.ranker import RANKER_PART, Ranker
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.serving.application import Application, Mounted, Readiness
from libs.serving.catalogue_client import CatalogueClient
from libs.serving.catalogue_feed import CatalogueFeed
from libs.serving.channels import open_channel
from libs.serving.clock import now_ms
from libs.serving.entry_point import run
from libs.serving.identity_settings import Identity
from libs.serving.profile_features import profile_features
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.server_stores import open_title_features
from libs.serving.tenancy import Tenants
from libs.serving.title_features_client import TitleFeaturesClient
from libs.serving.title_tables import LiveTables, PastTables
from libs.telemetry.metrics import ServiceMetrics
from reprise.privacy.v1 import privacy_pb2_grpc
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from services.ranking import personal_data_servicer
from services.ranking.candidates_client import CandidatesClient
from services.ranking.decision_log import QueuedDecisionLog
from services.ranking.events_client import EventsClient
from services.ranking.features import StoredTitleFeatures
from services.ranking.parts import Parts
from services.ranking.personal_data_servicer import PersonalDataServicer
from services.ranking.pipeline import Recommender
from services.ranking.servicer import RankingServicer
from services.ranking.settings import RankingSettings
from services.ranking.shelf import Shelves
from services.ranking.tenant_shelves import TenantShelves

SERVICE = ranking_pb2.DESCRIPTOR.services_by_name["RankingService"].full_name


async def build(
    settings: RankingSettings, metrics: ServiceMetrics, identity: Identity, readiness: Readiness
) -> Application:
    """Choose every part and open it, on the server's loop."""
    credentials = identity.credentials
    events = open_channel(
        settings.events_target, connections=settings.connections, tls=identity.channel_tls
    )
    candidates = open_channel(
        settings.candidates_target, connections=settings.connections, tls=identity.channel_tls
    )
    titles_store = open_title_features(settings)
    candidates_client = CandidatesClient(candidates, credentials)
    catalogue_client = CatalogueClient(candidates, credentials)
    lost = Counter(
        "reprise_decisions_lost",
        "Decisions that never reached the events service.",
        registry=metrics.registry,
    )
    events_client = EventsClient(events, credentials)
    decisions = QueuedDecisionLog(
        events_client,
        capacity=settings.decision_capacity,
        linger_ms=settings.decision_linger_ms,
        retry_ms=settings.decision_retry_ms,
        on_lost=lost.inc,
    )
    past_profiles = ProfileFeaturesClient(events, credentials)
    profiles, close_profiles = profile_features(settings, past_profiles)
    past = PastTables(TitleFeaturesClient(events, credentials))

    def open_tenant(tenant: str) -> TenantShelves:
        titles = StoredTitleFeatures(LiveTables(titles_store, tenant, now_ms), past)
        feed = CatalogueFeed(catalogue_client, tenant)
        shelves = _shelves(settings, tenant, feed)
        parts = Parts(
            shelves=shelves,
            profiles=profiles,
            titles=titles,
            candidates=candidates_client,
            decisions=decisions,
            catalogue=feed,
        )
        return TenantShelves(
            recommender=Recommender(parts, new_page_id=lambda: uuid.uuid4().hex),
            shelves=shelves,
            feed=feed,
            titles=titles,
            note=tell_health,
            refresh_ms=settings.refresh_ms,
        )

    tenants = Tenants(open_tenant, most=settings.most_tenants)
    servicer = RankingServicer(tenants.of, metrics, now_ms)

    async def tell_health() -> None:
        await readiness.set(SERVICE, any(held.is_filled for held in tenants.held))

    async def follow_tenants() -> None:
        while True:
            known = await asyncio.to_thread(tenants_below, settings.bundles_path)
            tenants.open_known((DEFAULT_TENANT, *known))
            await asyncio.sleep(settings.refresh_ms / 1000)

    async def close() -> None:
        await events.close()
        await candidates.close()
        titles_store.close()
        await close_profiles()

    await readiness.set(personal_data_servicer.NAME, True)
    return Application(
        services=(
            Mounted(
                SERVICE,
                lambda server: ranking_pb2_grpc.add_RankingServiceServicer_to_server(
                    servicer, server
                ),
            ),
            Mounted(
                personal_data_servicer.NAME,
                lambda server: privacy_pb2_grpc.add_PersonalDataServiceServicer_to_server(
                    PersonalDataServicer(decisions), server
                ),
            ),
        ),
        authorize=identity.authorize,
        background=(
            tenants.run,
            follow_tenants,
            decisions.run,
            lambda: events_client.watch_connection(decisions.mark_reachable),
        ),
        drain=decisions.close,
        close=close,
    )


def _shelves(settings: RankingSettings, tenant: str, feed: CatalogueFeed) -> Shelves:
    log = structlog.get_logger()
    bundles = BundleStore(tenant_root(settings.bundles_path, tenant))

    def refuse(rejection: Rejection) -> None:
        log.error(
            "bundle refused", tenant=tenant, version=rejection.version, reason=rejection.reason
        )

    return Shelves(
        Loaded(bundles, RETRIEVAL_PART, RetrievalModel.read, on_reject=refuse),
        Loaded(bundles, RANKER_PART, Ranker.read, on_reject=refuse),
        lambda: (feed.version, feed.titles),
    )


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    return run("ranking", RankingSettings, build)


if __name__ == "__main__":
    sys.exit(main())
