"""Starts the candidates service: the one place that reads settings and picks implementations."""

import asyncio
import dataclasses
import functools
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from libs.artifacts.bundle import BundleStore, tenant_root, tenants_below
from libs.artifacts.hot_swap import Loaded, Rejection
from libs.domain.identifiers import DEFAULT_TENANT
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.serving.application import Application, Mounted, Readiness
from libs.serving.channels import open_channel
from libs.serving.clock import now_ms
from libs.serving.entry_point import run
from libs.serving.identity import Authorize
from libs.serving.identity_settings import Identity
from libs.serving.server_stores import open_title_features
from libs.serving.tenancy import Tenants
from libs.serving.title_features_client import TitleFeaturesClient
from libs.serving.title_tables import (
    LiveTables,
    LiveTitleFeatures,
    PastTables,
    PastTitleFeatures,
)
from libs.storage.catalogue_store import SqliteCatalogueStore
from libs.telemetry.metrics import ServiceMetrics
from reprise.candidates.v1 import candidates_pb2_grpc
from services.candidates.catalogue import Catalogue
from services.candidates.index import Indexes
from services.candidates.pipeline import Retrieval
from services.candidates.ports import CatalogueStore
from services.candidates.servicer import NAME, CandidatesServicer
from services.candidates.settings import CandidatesSettings
from services.candidates.tenant_index import TenantIndex
from services.candidates.title_popularity import TitlePopularity
from services.candidates.upkeep import Upkeep


def main() -> int:
    """Run until told to stop; returns the exit code."""
    return run("candidates", CandidatesSettings, build)


async def build(
    settings: CandidatesSettings,
    metrics: ServiceMetrics,
    identity: Identity,
    readiness: Readiness,
) -> Application:
    """The service over the suite's files and the events service."""
    store = SqliteCatalogueStore(settings.catalogue_path)
    features = open_title_features(settings)
    channel = open_channel(
        settings.events_target, connections=settings.connections, tls=identity.channel_tls
    )
    application = assemble(
        readiness=readiness,
        authorize=identity.authorize,
        metrics=metrics,
        clock=now_ms,
        store=store,
        bundles=settings.bundles_path,
        live=features,
        past=TitleFeaturesClient(channel, identity.credentials),
        refresh_ms=settings.refresh_ms,
        most_tenants=settings.most_tenants,
    )

    async def close() -> None:
        await application.close()
        await channel.close()
        features.close()

    return dataclasses.replace(application, close=close)


def assemble(
    *,
    readiness: Readiness,
    authorize: Authorize,
    metrics: ServiceMetrics,
    clock: Callable[[], int],
    store: CatalogueStore,
    bundles: Path,
    live: LiveTitleFeatures,
    past: PastTitleFeatures,
    refresh_ms: int,
    most_tenants: int,
) -> Application:
    """The service over whatever its ports are given; closes the store.

    `bundles` is the folder with a root of bundles for each tenant.
    """
    log = structlog.get_logger()

    def reject(tenant: str, rejection: Rejection) -> None:
        log.error(
            "bundle refused", tenant=tenant, version=rejection.version, reason=rejection.reason
        )

    catalogue = Catalogue(store)
    past_tables = PastTables(past)

    def open_tenant(tenant: str) -> TenantIndex:
        indexes = Indexes(
            Loaded(
                BundleStore(tenant_root(bundles, tenant)),
                RETRIEVAL_PART,
                RetrievalModel.read,
                on_swap=lambda version: log.info("bundle loaded", tenant=tenant, version=version),
                on_reject=functools.partial(reject, tenant),
            )
        )
        popularity = TitlePopularity(LiveTables(live, tenant, clock), past_tables)
        upkeep = Upkeep(
            tenant=tenant,
            catalogue=catalogue,
            indexes=indexes,
            popularity=popularity,
            note=tell_health,
            refresh_ms=refresh_ms,
        )
        return TenantIndex(indexes, Retrieval(indexes, popularity), upkeep)

    tenants = Tenants(open_tenant, most=most_tenants)

    async def tell_health() -> None:
        await readiness.set(NAME, any(held.indexes.loaded for held in tenants.held))

    async def follow_tenants() -> None:
        while True:
            known = await asyncio.to_thread(tenants_below, bundles)
            tenants.open_known((DEFAULT_TENANT, *known))
            await asyncio.sleep(refresh_ms / 1000)

    async def end_watches() -> None:
        """Let streams without an end go when the process drains."""
        await readiness.draining.wait()
        catalogue.end()

    servicer = CandidatesServicer(
        catalogue=catalogue, tenants=tenants, metrics=metrics, clock=clock
    )
    mount = functools.partial(candidates_pb2_grpc.add_CandidatesServiceServicer_to_server, servicer)
    return Application(
        services=(Mounted(NAME, mount),),
        authorize=authorize,
        background=(tenants.run, follow_tenants, end_watches),
        close=catalogue.close,
    )


if __name__ == "__main__":
    sys.exit(main())
