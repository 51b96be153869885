"""The composition root of ranking: `python -m services.ranking`."""

import asyncio
import contextlib
import sys
import time
import uuid

import structlog
from prometheus_client import Counter

from libs.artifacts.bundle import BundleStore
from libs.artifacts.hot_swap import Loaded, Rejection
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import PartUnavailable, StartFault
from libs.models.ranker import RANKER_PART, Ranker
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.serving.channels import open_channel
from libs.serving.identity import Credentials
from libs.serving.identity_settings import IdentitySettings, open_identity
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.server import Application, Build, Mounted, Readiness, serve
from libs.serving.settings import read_settings
from libs.serving.title_features_client import TitleFeaturesClient
from libs.serving.title_tables import LiveTables, PastTables
from libs.storage.feature_reader import FeatureReader
from libs.telemetry.logs import configure_logs
from libs.telemetry.metrics import ServiceMetrics
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from services.ranking.candidates_client import CandidatesClient
from services.ranking.catalogue_feed import CatalogueFeed
from services.ranking.decision_log import QueuedDecisionLog
from services.ranking.events_client import EventsClient
from services.ranking.features import StoredProfileFeatures, StoredTitleFeatures
from services.ranking.parts import Parts
from services.ranking.pipeline import Recommender
from services.ranking.servicer import RankingServicer
from services.ranking.settings import RankingSettings
from services.ranking.shelf import Shelves

SERVICE = ranking_pb2.DESCRIPTOR.services_by_name["RankingService"].full_name

# Until the first catalogue has come, this often.
FIRST_LOOK_MS = 50


def build(settings: RankingSettings, metrics: ServiceMetrics, credentials: Credentials) -> Build:
    """Choose every part; the returned function opens them on the server's loop."""

    async def open_parts(readiness: Readiness) -> Application:
        log = structlog.get_logger()
        events = open_channel(settings.events_target)
        candidates = open_channel(settings.candidates_target)
        reader = FeatureReader(settings.events_path)
        live = LiveTables(reader, DEFAULT_TENANT, now_ms)
        feed = CatalogueFeed(CandidatesClient(candidates, credentials), DEFAULT_TENANT)
        bundles = BundleStore(settings.bundles_path)

        def refuse(rejection: Rejection) -> None:
            log.error("bundle refused", version=rejection.version, reason=rejection.reason)

        shelves = Shelves(
            Loaded(bundles, RETRIEVAL_PART, RetrievalModel.read, on_reject=refuse),
            Loaded(bundles, RANKER_PART, Ranker.read, on_reject=refuse),
            lambda: (feed.version, feed.titles),
        )
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
        parts = Parts(
            shelves=shelves,
            profiles=StoredProfileFeatures(reader, ProfileFeaturesClient(events, credentials)),
            titles=StoredTitleFeatures(live, PastTables(TitleFeaturesClient(events, credentials))),
            candidates=CandidatesClient(candidates, credentials),
            decisions=decisions,
            catalogue=feed,
        )
        recommender = Recommender(parts, new_page_id=lambda: uuid.uuid4().hex)
        servicer = RankingServicer(recommender, metrics)

        async def refresh() -> None:
            while True:
                with contextlib.suppress(PartUnavailable):
                    await asyncio.to_thread(live.refresh)
                await asyncio.to_thread(shelves.refresh)
                is_ready = shelves.current is not None
                await readiness.set(SERVICE, is_ready)
                await asyncio.sleep((settings.refresh_ms if is_ready else FIRST_LOOK_MS) / 1000)

        async def close() -> None:
            await events.close()
            await candidates.close()
            reader.close()

        return Application(
            services=(
                Mounted(
                    SERVICE,
                    lambda server: ranking_pb2_grpc.add_RankingServiceServicer_to_server(
                        servicer, server
                    ),
                ),
            ),
            background=(
                feed.run,
                refresh,
                decisions.run,
                lambda: events_client.watch_connection(decisions.mark_reachable),
            ),
            drain=decisions.close,
            close=close,
        )

    return open_parts


def now_ms() -> int:
    """The present in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    try:
        settings = read_settings(RankingSettings)
        configure_logs("ranking", level=settings.log_level)
        identity = open_identity(
            read_settings(IdentitySettings), name="ranking", host=settings.host
        )
    except StartFault as fault:
        sys.stderr.write(f"ranking: {fault}\n")
        return 1
    metrics = ServiceMetrics()
    return serve(
        build(settings, metrics, identity.credentials),
        name="ranking",
        host=settings.host,
        port=settings.ranking_port,
        drain_ms=settings.drain_ms,
        metrics=metrics,
        metrics_port=settings.ranking_metrics_port,
        authorize=identity.authorize,
    )


if __name__ == "__main__":
    sys.exit(main())
