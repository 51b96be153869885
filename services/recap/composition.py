"""The parts of recap, each put together from what all stand on."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter

from libs.artifacts.bundle import BundleStore, tenant_root
from libs.artifacts.hot_swap import Loaded, Rejection
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.models.taste_model import QUIZ_PART, TasteModel
from libs.serving.application import Mounted
from libs.serving.clock import now_ms
from libs.serving.profile_features import ProfileFeatures
from libs.serving.tenancy import Tenants
from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap.beat_table import BeatTable
from libs.storage.recap.database import Database
from libs.storage.recap.personal_tables import PersonalTables
from libs.storage.recap.recap_table import RecapTable
from libs.storage.recap.share_table import ShareTable
from libs.telemetry.metrics import ServiceMetrics
from reprise.privacy.v1 import privacy_pb2_grpc
from reprise.recap.v1 import (
    quiz_pb2,
    quiz_pb2_grpc,
    recap_pb2_grpc,
    share_pb2_grpc,
    story_pb2_grpc,
)
from services.recap import personal_data_servicer
from services.recap.event_writer_client import EventWriterClient
from services.recap.events_client import EventsClient
from services.recap.outbox import Outbox
from services.recap.personal_data_servicer import PersonalDataServicer
from services.recap.quiz import hold_out, quiz_token
from services.recap.quiz.board import Boards
from services.recap.quiz.kill_switch import KillSwitch
from services.recap.quiz.materials import TenantMaterial
from services.recap.quiz.offers import Offers
from services.recap.quiz.pack_warnings import PackWarnings
from services.recap.quiz.prompts import Prompts
from services.recap.quiz.quiz_store import QuizStore
from services.recap.quiz.quizzes import Quizzes
from services.recap.quiz.rankings import Rankings
from services.recap.quiz.selection import StopRules
from services.recap.quiz.servicer import QuizServicer
from services.recap.ranking_client import RankingClient
from services.recap.settings import RecapSettings
from services.recap.share import servicer as share_servicer
from services.recap.share.pictures import Pictures
from services.recap.share.servicer import ShareServicer
from services.recap.share.share_tokens import ShareTokens
from services.recap.share.sharing import Sharing
from services.recap.story import servicer as story_servicer
from services.recap.story.desk import BeatDesk
from services.recap.story.servicer import StoryServicer
from services.recap.story.teller import StoryTeller
from services.recap.story.told_series import HeldBeats, make_terms
from services.recap.tenant_titles import TenantTitles
from services.recap.year import servicer as recap_servicer
from services.recap.year.counter import Counter as FactCounter
from services.recap.year.recaps import Recaps
from services.recap.year.servicer import RecapServicer

QUIZ = quiz_pb2.DESCRIPTOR.services_by_name["QuizService"].full_name

Work = Callable[[], Coroutine[Any, Any, None]]


async def _nothing() -> None:
    """The end of a part that holds nothing."""


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
    history: EventsClient
    tenants: Tenants[TenantTitles]


@dataclass(frozen=True, slots=True)
class Part:
    """A gRPC service, what goes on behind it, and what it holds for each tenant."""

    mounted: Mounted
    background: tuple[Work, ...] = ()
    open_known: Callable[[Iterable[str]], None] | None = None
    close: Callable[[], Awaitable[None]] = _nothing


def recaps(ground: Ground, table: RecapTable, counter: FactCounter) -> Recaps:
    """What GetRecap and the shares tell: stored recaps, and those that are counted now."""
    disagreeing = Counter(
        "reprise_recap_facts_disagreeing",
        "Stories not told because two programs did not count the same, by story.",
        ("story",),
        registry=ground.metrics.registry,
    )
    return Recaps(
        table,
        ground.profiles,
        ground.history,
        ground.tenants.of,
        counter,
        ground.ranking,
        lambda story: disagreeing.labels(story).inc(),
    )


def year(recaps: Recaps, table: RecapTable, counter: FactCounter) -> Part:
    """RecapService."""
    servicer = RecapServicer(recaps, table, now_ms)

    async def close() -> None:
        counter.close()

    return Part(
        Mounted(
            recap_servicer.NAME,
            lambda server: recap_pb2_grpc.add_RecapServiceServicer_to_server(servicer, server),
        ),
        close=close,
    )


def share(ground: Ground, recaps: Recaps) -> Part:
    """ShareService, and the renderer of its pictures."""
    sharing = Sharing(
        recaps,
        QuizStore(ground.database, ground.personal),
        ground.profiles,
        ground.tenants.of,
        ShareTable(ground.database, ground.personal),
        ShareTokens.of(ground.pseudonyms),
    )
    asked = Counter(
        "reprise_recap_pictures",
        "Pictures of shared cards asked for, by what became of them.",
        ("outcome",),
        registry=ground.metrics.registry,
    )
    pictures = Pictures(count=lambda outcome: asked.labels(outcome).inc())
    servicer = ShareServicer(sharing, pictures, now_ms)
    return Part(
        Mounted(
            share_servicer.NAME,
            lambda server: share_pb2_grpc.add_ShareServiceServicer_to_server(servicer, server),
        ),
        close=pictures.close,
    )


def story(ground: Ground) -> Part:
    """StoryService over the beats of editors."""
    beats = BeatTable(ground.database, make_terms)
    held = HeldBeats(beats, most_bytes=ground.settings.most_beats_mib * 2**20)
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


def quiz(ground: Ground) -> Part:
    """QuizService with its offers, its packs and its outbox."""
    settings, pseudonyms = ground.settings, ground.pseudonyms
    lost = Counter(
        "reprise_recap_events_lost",
        "Events that the log refused for good, but for those of erased profiles.",
        registry=ground.metrics.registry,
    )
    outbox = Outbox(ground.database, ground.writer, lost.inc)
    warnings = PackWarnings()
    materials = Tenants(
        lambda tenant: _material(settings, tenant, ground.tenants.of(tenant), warnings),
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
    servicer = QuizServicer(offers, quizzes, Rankings(materials.of, ground.ranking))
    return Part(
        Mounted(
            QUIZ, lambda server: quiz_pb2_grpc.add_QuizServiceServicer_to_server(servicer, server)
        ),
        background=(materials.run, outbox.run),
        open_known=materials.open_known,
    )


def personal_data(ground: Ground) -> Part:
    """PersonalDataService over all tables."""
    servicer = PersonalDataServicer(ground.personal)
    return Part(
        Mounted(
            personal_data_servicer.NAME,
            lambda server: privacy_pb2_grpc.add_PersonalDataServiceServicer_to_server(
                servicer, server
            ),
        )
    )


def _material(
    settings: RecapSettings, tenant: str, titles: TenantTitles, warnings: PackWarnings
) -> TenantMaterial:
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
        partial(warnings.tell, tenant),
    )
