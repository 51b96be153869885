"""The events service as a process: `python -m services.events`."""

import asyncio
import dataclasses
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

import grpc.aio
from prometheus_client import Gauge, Histogram

from libs.serving.application import Application, Mounted, Readiness
from libs.serving.channels import open_channel
from libs.serving.clock import now_ms
from libs.serving.entry_point import run
from libs.serving.identity import Authorize
from libs.serving.identity_settings import Identity
from libs.storage.event_store import SqliteEventStore
from libs.telemetry.metrics import ServiceMetrics
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.group_commit import GroupCommit
from services.events.personal_data_client import PersonalDataClient
from services.events.personal_records import PersonalDataService, PersonalRecords
from services.events.ports import EventStore
from services.events.retention import Retention
from services.events.retraining import RetrainingOf, no_retraining, retraining_from
from services.events.server_store import open_server_store
from services.events.servicer import EventsServicer
from services.events.settings import EventsSettings

SERVICE_NAME: Final[str] = events_pb2.DESCRIPTOR.services_by_name["EventsService"].full_name

# A read gives the interpreter lock away at each of its statements, and waits this long to have
# it back from the thread that writes.
SWITCH_INTERVAL_S: Final = 0.0005

# The other services that hold anything about profiles.
PERSONAL_DATA_SERVICES: Final = ("ranking", "recap")

HOUR_MS: Final = 3_600_000

_CALLS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)


class ClosableStore(EventStore, Protocol):
    """A store that holds something until it is closed."""

    def close(self) -> None:
        """Give back what is held; nobody may be reading or writing."""
        ...


async def build(
    settings: EventsSettings, metrics: ServiceMetrics, identity: Identity, readiness: Readiness
) -> Application:
    """The service of the settings; raises StartFault."""
    store: ClosableStore
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
    own: tuple[PersonalDataService, ...] = ()
    server = settings.log_server
    if server is not None:
        behind = Gauge(
            "reprise_features_behind_seconds",
            "How old the oldest event is that the features lack.",
            registry=metrics.registry,
        )
        store, follower, features = open_server_store(settings, server, behind.set)

        async def follow() -> None:
            try:
                await asyncio.to_thread(follower.run)
            finally:
                follower.stop()
                features.close()

        background = (follow,)
        own = (features,)
    else:
        store = SqliteEventStore(settings.events_path)
    calls = Histogram(
        "reprise_commit_calls",
        "Writing calls that shared one durable commit.",
        buckets=_CALLS,
        registry=metrics.registry,
    )
    channels = {
        name: open_channel(getattr(settings, f"{name}_target"), tls=identity.channel_tls)
        for name in PERSONAL_DATA_SERVICES
    }
    application = await assemble(
        store,
        readiness,
        authorize=identity.authorize,
        most_waiting=settings.events_most_waiting,
        delay_ms=settings.commit_delay_ms,
        retention_days=settings.retention_days,
        on_commit=calls.observe,
        clock=now_ms,
        services=[
            *own,
            *(
                PersonalDataClient(name, channel, identity.credentials)
                for name, channel in channels.items()
            ),
        ],
        retraining_of=retraining_from(
            settings.bundles_path, round(settings.training_interval_hours * HOUR_MS)
        ),
        background=background,
    )

    async def close() -> None:
        await application.close()
        for channel in channels.values():
            await channel.close()

    return dataclasses.replace(application, close=close)


async def assemble(
    store: ClosableStore,
    readiness: Readiness,
    *,
    authorize: Authorize,
    most_waiting: int,
    clock: Callable[[], int],
    delay_ms: int = 0,
    retention_days: int = 0,
    on_commit: Callable[[int], None] | None = None,
    services: Sequence[PersonalDataService] = (),
    retraining_of: RetrainingOf = no_retraining,
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = (),
) -> Application:
    """The service on any store, which is closed with it; `services` follow it in an erasure.

    `most_waiting`, `delay_ms` and `on_commit` are GroupCommit's, `retention_days` Retention's.
    """
    commits = GroupCommit(store, most_waiting=most_waiting, delay_ms=delay_ms, on_commit=on_commit)
    records = PersonalRecords(store, commits, services, clock)
    retention = Retention(store, commits, clock, days=retention_days)
    servicer = EventsServicer(store, commits, clock, records=records, retraining_of=retraining_of)

    def mount(server: grpc.aio.Server) -> None:
        events_pb2_grpc.add_EventsServiceServicer_to_server(servicer, server)

    async def close() -> None:
        await records.close()
        await servicer.close()
        store.close()

    await readiness.set(SERVICE_NAME, True)
    return Application(
        services=(Mounted(SERVICE_NAME, mount),),
        authorize=authorize,
        background=(records.run, retention.run, *background),
        close=close,
    )


def main() -> int:
    """Run until stopped; returns the exit code."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return run("events", EventsSettings, build)


if __name__ == "__main__":
    sys.exit(main())
