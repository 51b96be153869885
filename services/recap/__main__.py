"""The composition root of recap: `python -m services.recap`."""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Counter

from libs.artifacts.bundle import BundleStore, tenant_root, tenants_below
from libs.artifacts.hot_swap import Loaded, Rejection
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.models.taste_model import QUIZ_PART, TasteModel
from libs.serving.application import Application, Build, Mounted, Readiness
from libs.serving.catalogue_client import CatalogueClient
from libs.serving.catalogue_feed import CatalogueFeed
from libs.serving.channels import open_channel
from libs.serving.identity_settings import Identity, IdentitySettings, open_identity
from libs.serving.process import serve
from libs.serving.profile_features import ProfileFeatures, profile_features
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.settings import read_settings
from libs.serving.tenancy import Tenants
from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap.beat_table import BeatTable
from libs.storage.recap.database import Database, open_file, open_server
from libs.storage.recap.personal_tables import PersonalTables
from libs.telemetry.logs import configure_logs
from libs.telemetry.metrics import ServiceMetrics
from reprise.privacy.v1 import privacy_pb2_grpc
from reprise.recap.v1 import quiz_pb2, quiz_pb2_grpc, recap_pb2, story_pb2_grpc
from services.recap import personal_data_servicer
from services.recap.event_writer_client import EventWriterClient
from services.recap.outbox import Outbox
from services.recap.personal_data_servicer import PersonalDataServicer
from services.recap.quiz import hold_out, quiz_token
from services.recap.quiz.board import Boards
from services.recap.quiz.kill_switch import KillSwitch
from services.recap.quiz.materials import TenantMaterial
from services.recap.quiz.offers import Offers
from services.recap.quiz.prompts import Prompts
from services.recap.quiz.quiz_store import QuizStore
from services.recap.quiz.quizzes import Quizzes
from services.recap.quiz.selection import StopRules
from services.recap.quiz.servicer import QuizServicer
from services.recap.ranking_client import RankingClient
from services.recap.settings import RecapSettings
from services.recap.story import servicer as story_servicer
from services.recap.story.desk import BeatDesk
from services.recap.story.servicer import StoryServicer
from services.recap.story.teller import StoryTeller
from services.recap.story.told_series import HeldBeats, make_terms
from services.recap.tenant_titles import TenantTitles

RECAP = recap_pb2.DESCRIPTOR.services_by_name["RecapService"].full_name
QUIZ = quiz_pb2.DESCRIPTOR.services_by_name["QuizService"].full_name

# How often the folder of bundles is looked at for tenants that nobody has called for yet.
_TENANTS_S = 1.0

Work = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all parts of the service stand on."""

    settings: RecapSettings
    metrics: ServiceMetrics
    database: Database
    pseudonyms: Pseudonyms
    personal: PersonalTables
    profiles: ProfileFeatures
    ranking: RankingClient
    writer: EventWriterClient
    tenants: Tenants[TenantTitles]


@dataclass(frozen=True, slots=True)
class Part:
    """A gRPC service, what goes on behind it, and what it holds for each tenant."""

    mounted: Mounted
    background: tuple[Work, ...] = ()
    open_known: Callable[[tuple[str, ...]], None] | None = None


def build(settings: RecapSettings, metrics: ServiceMetrics, identity: Identity) -> Build:
    """Choose every part; the returned function opens them on the server's loop."""

    async def open_parts(readiness: Readiness) -> Application:
        database = _database(settings)
        pseudonyms = Pseudonyms.of_file(settings.recap_key_path)
        personal = PersonalTables(database, pseudonyms)
        events, candidates, ranking = (
            open_channel(target, connections=settings.connections, tls=identity.channel_tls)
            for target in (
                settings.events_target,
                settings.candidates_target,
                settings.ranking_target,
            )
        )
        profiles, close_profiles = profile_features(
            settings, ProfileFeaturesClient(events, identity.credentials)
        )
        catalogue = CatalogueClient(candidates, identity.credentials)
        tenants = Tenants(
            lambda tenant: TenantTitles(CatalogueFeed(catalogue, tenant)),
            most=settings.most_tenants,
        )
        ground = Ground(
            settings=settings,
            metrics=metrics,
            database=database,
            pseudonyms=pseudonyms,
            personal=personal,
            profiles=profiles,
            ranking=RankingClient(ranking, identity.credentials),
            writer=EventWriterClient(events, identity.credentials),
            tenants=tenants,
        )
        parts = (_story(ground), _quiz(ground), _personal_data(ground))

        async def follow_tenants() -> None:
            while True:
                known = await asyncio.to_thread(tenants_below, settings.bundles_path)
                for held in (tenants.open_known, *(part.open_known for part in parts)):
                    if held is not None:
                        held((DEFAULT_TENANT, *known))
                await asyncio.sleep(_TENANTS_S)

        async def close() -> None:
            for channel in (events, candidates, ranking):
                await channel.close()
            await close_profiles()
            database.close()

        await readiness.set(RECAP, True)
        for part in parts:
            await readiness.set(part.mounted.name, True)
        return Application(
            services=tuple(part.mounted for part in parts),
            authorize=identity.authorize,
            background=(
                tenants.run,
                follow_tenants,
                *(work for part in parts for work in part.background),
            ),
            close=close,
        )

    return open_parts


def _story(ground: Ground) -> Part:
    beats = BeatTable(ground.database, make_terms)
    held = HeldBeats(beats, most_series=ground.settings.most_series)
    servicer = StoryServicer(
        BeatDesk(ground.tenants.of, beats),
        StoryTeller(ground.tenants.of, ground.profiles, held),
        ground.metrics,
    )
    return Part(
        Mounted(
            story_servicer.NAME,
            lambda server: story_pb2_grpc.add_StoryServiceServicer_to_server(servicer, server),
        )
    )


def _quiz(ground: Ground) -> Part:
    settings, pseudonyms = ground.settings, ground.pseudonyms
    outbox = Outbox(ground.database, ground.writer)
    materials = Tenants(
        lambda tenant: _material(settings, tenant, ground.tenants.of(tenant)),
        most=settings.most_tenants,
    )
    offers = Offers(
        Prompts(ground.database, ground.personal),
        outbox,
        ground.profiles,
        ground.tenants.of,
        KillSwitch(settings.quiz_off_path, now_ms),
        hold_out.HoldOut(settings.quiz_hold_out_ratio, pseudonyms.key_for(hold_out.KEY_PURPOSE)),
        Counter(
            "reprise_quiz_offers",
            "Questions whether to offer the quiz, by refusal; none is an offer.",
            ("refusal",),
            registry=ground.metrics.registry,
        ),
        now_ms,
    )
    quizzes = Quizzes(
        materials.of,
        ground.ranking,
        QuizStore(ground.database, ground.personal),
        quiz_token.QuizTokens(pseudonyms.key_for(quiz_token.KEY_PURPOSE)),
        outbox,
        Boards(settings.quiz_most_boards),
        StopRules(
            settings.quiz_most_answers, settings.quiz_sure_ratio, settings.quiz_least_gain_bits
        ),
        now_ms,
    )
    servicer = QuizServicer(offers, quizzes)
    return Part(
        Mounted(
            QUIZ, lambda server: quiz_pb2_grpc.add_QuizServiceServicer_to_server(servicer, server)
        ),
        background=(materials.run, outbox.run),
        open_known=materials.open_known,
    )


def _personal_data(ground: Ground) -> Part:
    servicer = PersonalDataServicer(ground.personal)
    return Part(
        Mounted(
            personal_data_servicer.NAME,
            lambda server: privacy_pb2_grpc.add_PersonalDataServiceServicer_to_server(
                servicer, server
            ),
        )
    )


def _material(settings: RecapSettings, tenant: str, titles: TenantTitles) -> TenantMaterial:
    log = structlog.get_logger()

    def refuse(rejection: Rejection) -> None:
        log.error(
            "bundle refused", tenant=tenant, version=rejection.version, reason=rejection.reason
        )

    def go_without(rejection: Rejection) -> None:
        # Where titles have moods nobody needs it.
        log.info("bundle without tastes", tenant=tenant, reason=rejection.reason)

    bundles = BundleStore(tenant_root(settings.bundles_path, tenant))
    return TenantMaterial(
        titles,
        Loaded(bundles, RETRIEVAL_PART, RetrievalModel.read, on_reject=refuse),
        Loaded(bundles, QUIZ_PART, TasteModel.read, on_reject=go_without),
        settings.quiz_packs_path,
    )


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
