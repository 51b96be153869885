"""The composition root of recap: `python -m services.recap`."""

import asyncio
import sys
import time

import prometheus_client
import structlog

from libs.artifacts.bundle import tenants_below
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.serving.application import Application, Build, Mounted, Readiness
from libs.serving.catalogue_client import CatalogueClient
from libs.serving.catalogue_feed import CatalogueFeed
from libs.serving.channels import open_channel
from libs.serving.identity_settings import Identity, IdentitySettings, open_identity
from libs.serving.process import serve
from libs.serving.profile_features import profile_features
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.settings import read_settings
from libs.serving.tenancy import Tenants
from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap.beat_table import BeatTable
from libs.storage.recap.database import Database, open_file, open_server
from libs.storage.recap.personal_tables import PersonalTables
from libs.storage.recap.recap_table import RecapTable
from libs.telemetry.logs import configure_logs
from libs.telemetry.metrics import ServiceMetrics
from reprise.privacy.v1 import privacy_pb2_grpc
from reprise.recap.v1 import recap_pb2_grpc, story_pb2_grpc
from services.recap import personal_data_servicer
from services.recap.events_client import EventsClient
from services.recap.next_titles_client import NextTitlesClient
from services.recap.personal_data_servicer import PersonalDataServicer
from services.recap.settings import RecapSettings
from services.recap.story import servicer as story_servicer
from services.recap.story.desk import BeatDesk
from services.recap.story.servicer import StoryServicer
from services.recap.story.teller import StoryTeller
from services.recap.story.told_series import HeldBeats, make_terms
from services.recap.tenant_titles import TenantTitles
from services.recap.year.counter import Counter
from services.recap.year.recaps import Recaps
from services.recap.year.servicer import NAME as RECAP
from services.recap.year.servicer import RecapServicer

# How often the folder of bundles is looked at for tenants that nobody has called for yet.
_TENANTS_S = 1.0


def build(settings: RecapSettings, metrics: ServiceMetrics, identity: Identity) -> Build:
    """Choose every part; the returned function opens them on the server's loop."""

    async def open_parts(readiness: Readiness) -> Application:
        database = _database(settings)
        personal = PersonalTables(database, Pseudonyms.of_file(settings.recap_key_path))
        candidates = open_channel(
            settings.candidates_target, connections=settings.connections, tls=identity.channel_tls
        )
        catalogue = CatalogueClient(candidates, identity.credentials)
        events = open_channel(
            settings.events_target, connections=settings.connections, tls=identity.channel_tls
        )
        profiles, close_profiles = profile_features(
            settings, ProfileFeaturesClient(events, identity.credentials)
        )
        tenants = Tenants(
            lambda tenant: TenantTitles(CatalogueFeed(catalogue, tenant)),
            most=settings.most_tenants,
        )
        beats = BeatTable(database, make_terms)
        story = StoryServicer(
            BeatDesk(tenants.of, beats),
            StoryTeller(tenants.of, profiles, HeldBeats(beats, most_series=settings.most_series)),
            metrics,
        )

        ranking = open_channel(
            settings.ranking_target, connections=settings.connections, tls=identity.channel_tls
        )
        table = RecapTable(database, personal)
        counter = Counter(most_tenants=settings.most_tenants)
        disagreeing = prometheus_client.Counter(
            "reprise_recap_facts_disagreeing",
            "Stories not told because two programs did not count the same, by story.",
            ("story",),
            registry=metrics.registry,
        )
        recaps = Recaps(
            table,
            profiles,
            EventsClient(events, identity.credentials),
            tenants.of,
            counter,
            NextTitlesClient(ranking, identity.credentials),
            lambda story: disagreeing.labels(story).inc(),
        )

        async def follow_tenants() -> None:
            while True:
                known = await asyncio.to_thread(tenants_below, settings.bundles_path)
                tenants.open_known((DEFAULT_TENANT, *known))
                await asyncio.sleep(_TENANTS_S)

        async def close() -> None:
            for channel in (candidates, events, ranking):
                await channel.close()
            await close_profiles()
            counter.close()
            database.close()

        await readiness.set(RECAP, True)
        await readiness.set(personal_data_servicer.NAME, True)
        await readiness.set(story_servicer.NAME, True)
        return Application(
            services=(
                Mounted(
                    RECAP,
                    lambda server: recap_pb2_grpc.add_RecapServiceServicer_to_server(
                        RecapServicer(recaps, table, now_ms), server
                    ),
                ),
                Mounted(
                    personal_data_servicer.NAME,
                    lambda server: privacy_pb2_grpc.add_PersonalDataServiceServicer_to_server(
                        PersonalDataServicer(personal), server
                    ),
                ),
                Mounted(
                    story_servicer.NAME,
                    lambda server: story_pb2_grpc.add_StoryServiceServicer_to_server(story, server),
                ),
            ),
            authorize=identity.authorize,
            background=(tenants.run, follow_tenants),
            close=close,
        )

    return open_parts


def _database(settings: RecapSettings) -> Database:
    url = settings.recap_url.get_secret_value()
    return open_server(url) if url else open_file(settings.recap_path)


def now_ms() -> int:
    """The present in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    try:
        settings = read_settings(RecapSettings)
        configure_logs("recap", level=settings.log_level)
        structlog.get_logger().info("settings", **settings.shown())
        identity = open_identity(read_settings(IdentitySettings), name="recap", host=settings.host)
    except StartFault as fault:
        sys.stderr.write(f"recap: {fault}\n")
        return 1
    metrics = ServiceMetrics()
    return serve(
        build(settings, metrics, identity),
        settings.plan("recap"),
        metrics,
        tls=identity.server_tls,
    )


if __name__ == "__main__":
    sys.exit(main())
