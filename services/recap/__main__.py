"""The composition root of recap: `python -m services.recap`."""

import asyncio
import sys
from collections.abc import Sequence

from libs.artifacts.bundle import tenants_below
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.serving.application import Application, Readiness
from libs.serving.catalogue_client import CatalogueClient
from libs.serving.catalogue_feed import CatalogueFeed
from libs.serving.channels import open_channel
from libs.serving.entry_point import run
from libs.serving.identity_settings import Identity
from libs.serving.profile_features import profile_features
from libs.serving.profile_features_client import ProfileFeaturesClient
from libs.serving.tenancy import Tenants
from libs.storage.recap.database import Database, open_file, open_server
from libs.storage.recap.personal_tables import PersonalTables, open_pseudonyms
from libs.storage.recap.recap_table import RecapTable
from libs.telemetry.metrics import ServiceMetrics
from services.recap import composition, personal_data_servicer
from services.recap.composition import Ground, Part
from services.recap.event_writer_client import EventWriterClient
from services.recap.events_client import EventsClient
from services.recap.ranking_client import RankingClient
from services.recap.settings import RecapSettings
from services.recap.tenant_titles import TenantTitles
from services.recap.year.counter import Counter as FactCounter

# How often the folder of bundles is looked at for tenants that nobody has called for yet.
_TENANTS_S = 1.0
# So long it waits at a time for the first catalogue.
_FIRST_LOOK_S = 60.0


async def build(
    settings: RecapSettings, metrics: ServiceMetrics, identity: Identity, readiness: Readiness
) -> Application:
    """Choose every part and open it, on the server's loop."""
    database = _database(settings)
    try:
        pseudonyms = open_pseudonyms(database, settings.recap_key_path)
    except StartFault:
        database.close()
        raise
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
        history=EventsClient(events, identity.credentials),
        tenants=tenants,
    )
    table = RecapTable(database, personal)
    counter = FactCounter(most_tenants=settings.most_tenants)
    recaps = composition.recaps(ground, table, counter)
    parts = (
        composition.year(recaps, table, counter),
        composition.share(ground, recaps),
        composition.story(ground),
        composition.quiz(ground),
        composition.personal_data(ground),
    )
    names = [part.mounted.name for part in parts]

    async def tell_health() -> None:
        """Ready is who has seen a catalogue, though it be empty."""
        while not await tenants.of(DEFAULT_TENANT).filled(_FIRST_LOOK_S):
            pass
        for name in names:
            await readiness.set(name, True)

    async def close() -> None:
        for channel in (events, candidates, ranking):
            await channel.close()
        await close_profiles()
        for part in parts:
            await part.close()
        database.close()

    for name in names:
        await readiness.set(name, name == personal_data_servicer.NAME)
    return Application(
        services=tuple(part.mounted for part in parts),
        authorize=identity.authorize,
        background=(
            tenants.run,
            lambda: _follow_tenants(settings, tenants, parts),
            tell_health,
            *(work for part in parts for work in part.background),
        ),
        close=close,
    )


async def _follow_tenants(
    settings: RecapSettings, tenants: Tenants[TenantTitles], parts: Sequence[Part]
) -> None:
    """Hold in memory whoever has bundles, before the first call for them."""
    holders = [tenants.open_known, *(part.open_known for part in parts if part.open_known)]
    while True:
        known = await asyncio.to_thread(tenants_below, settings.bundles_path)
        for hold in holders:
            hold((DEFAULT_TENANT, *known))
        await asyncio.sleep(_TENANTS_S)


def _database(settings: RecapSettings) -> Database:
    url = settings.recap_url.get_secret_value()
    return open_server(url) if url else open_file(settings.recap_path)


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    return run("recap", RecapSettings, build)


if __name__ == "__main__":
    sys.exit(main())
