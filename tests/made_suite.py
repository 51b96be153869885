"""All four services in this process: real servers, real channels, real files, small bundles."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc.aio

from libs.artifacts.bundle import publish, tenant_root
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.models.ranker import RANKER_PART
from libs.models.retrieval_model import RETRIEVAL_PART
from libs.serving.application import Readiness
from libs.serving.channels import open_channel
from libs.serving.entry_point import BuildOf, SettingsT
from libs.serving.identity import NO_CREDENTIALS, Authorize, Credentials, as_everybody
from libs.serving.identity_settings import Identity
from libs.serving.server import running
from libs.storage.catalogue_store import SqliteCatalogueStore
from libs.telemetry.metrics import ServiceMetrics
from services.candidates import __main__ as candidates
from services.candidates.settings import CandidatesSettings
from services.events import __main__ as events
from services.events.settings import EventsSettings
from services.ranking import __main__ as ranking
from services.ranking.settings import RankingSettings
from services.recap import __main__ as recap
from services.recap.settings import RecapSettings
from tests.free_ports import free_ports
from tests.made_bundle import NOW_MS, catalogue, ranker, retrieval


@dataclass(frozen=True)
class Served:
    """A channel to each service."""

    events: grpc.aio.Channel
    candidates: grpc.aio.Channel
    ranking: grpc.aio.Channel
    recap: grpc.aio.Channel

    def of(self, method: str) -> grpc.aio.Channel:
        """The channel to the service of "/reprise.<name>.v1.Service/Method"."""
        name = method.split(".")[1]
        # Of those that hold personal data, the one that others do not write for.
        channel = getattr(self, "recap" if name == "privacy" else name)
        assert isinstance(channel, grpc.aio.Channel)
        return channel


def fill(home: Path, tenant: str, prefix: str) -> str:
    """Write a tenant's catalogue, whose ids begin with `prefix`, and publish a bundle of it."""
    store = SqliteCatalogueStore(CandidatesSettings(home=home).catalogue_path)
    store.upsert(tenant, list(catalogue(prefix).values()))
    store.close()
    return publish(
        tenant_root(home / "bundles", tenant),
        {RETRIEVAL_PART: retrieval(prefix=prefix).write, RANKER_PART: ranker().write},
        now_ms=NOW_MS,
        trained_until_ms=NOW_MS,
        feature_schema_version=FEATURE_SCHEMA_VERSION,
    )


@asynccontextmanager
async def served(
    home: Path,
    *,
    authorize: Authorize = as_everybody,
    credentials: Credentials = NO_CREDENTIALS,
    quiz_hold_out_ratio: float = 0.0,
) -> AsyncIterator[Served]:
    """The suite over what lies in `home`, once it is ready; `credentials` are its own."""
    identity = Identity(authorize, credentials)
    started: list[Readiness] = []
    async with AsyncExitStack() as stack:

        async def start(build: BuildOf[SettingsT], settings: SettingsT, port: int = 0) -> str:
            bound = partial(build, settings, ServiceMetrics(), identity)
            server = await stack.enter_async_context(running(bound, port=port))
            started.append(server.readiness)
            return f"127.0.0.1:{server.port}"

        # Events calls those that call it, so they have to be known before they are there.
        ranking_port, recap_port = free_ports(2)
        events_settings = EventsSettings(
            home=home,
            ranking_target=f"127.0.0.1:{ranking_port}",
            recap_target=f"127.0.0.1:{recap_port}",
        )
        events_at = await start(events.build, events_settings)
        candidates_settings = CandidatesSettings(home=home, events_target=events_at, refresh_ms=20)
        candidates_at = await start(candidates.build, candidates_settings)
        ranking_settings = RankingSettings(
            home=home, events_target=events_at, candidates_target=candidates_at, refresh_ms=20
        )
        ranking_at = await start(ranking.build, ranking_settings, ranking_port)
        recap_settings = RecapSettings(
            home=home,
            events_target=events_at,
            candidates_target=candidates_at,
            ranking_target=ranking_at,
            # Nobody is left out by the luck of a fresh key.
            quiz_hold_out_ratio=quiz_hold_out_ratio,
        )
        recap_at = await start(recap.build, recap_settings, recap_port)
        channels = [
            await stack.enter_async_context(open_channel(target))
            for target in (events_at, candidates_at, ranking_at, recap_at)
        ]
        async with asyncio.timeout(20):
            for readiness in started:
                await readiness.wait_until_ready()
        yield Served(*channels)
