"""The store past one machine: the log in PostgreSQL, and who keeps Redis up to it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from libs.faults import StartFault
from libs.serving.server_stores import features_url
from libs.storage.recorded_log import LogServer
from libs.storage.server_extra import server_extra
from services.events.follower_process import FollowerProcess
from services.events.settings import EventsSettings, FollowerPlace

if TYPE_CHECKING:
    from libs.storage.postgres.event_store import PostgresEventStore
    from services.events.features_erasure import FeaturesErasure
    from services.events.follower import Follower

_DAY_MS: Final = 86_400_000
# A rebuild writes thousands of profiles at once.
_WRITE_S: Final = 10.0
_ERASE_S: Final = 1.0


class Following(Protocol):
    """Something that keeps the features up to the log, here or in another process."""

    def run(self) -> None:
        """Follow until stopped."""
        ...

    def stop(self) -> None:
        """Let `run` return soon."""
        ...


class ServerStore(NamedTuple):
    """The log, who keeps the features up to it, and how they are erased."""

    store: "PostgresEventStore"
    follower: Following
    features: "FeaturesErasure"


def open_server_store(
    settings: EventsSettings, server: LogServer, on_behind: Callable[[float], None]
) -> ServerStore:
    """The stores of the settings; raises StartFault.

    `on_behind` is told how many seconds of the log the features lack.
    """
    with server_extra():
        from libs.storage.postgres.event_store import PostgresEventStore
        from libs.storage.postgres.identities import open_identities
        from libs.storage.redis.client import open_client
        from libs.storage.redis.feature_eraser import FeatureEraser
        from services.events.features_erasure import FeaturesErasure
    with features_url():
        url = settings.features_url.get_secret_value()
        eraser = FeatureEraser(open_client(url, timeout_s=_ERASE_S))
    identities = open_identities(server.keys_url, server.secret, may_make=True)
    store = PostgresEventStore(server.url, identities)
    follower: Following
    if settings.follower is FollowerPlace.PROCESS:
        follower = FollowerProcess(on_behind)
    else:
        follower = open_follower(settings, on_behind)
    return ServerStore(store, follower, FeaturesErasure(store, eraser))


def open_follower(settings: EventsSettings, on_behind: Callable[[float], None]) -> "Follower":
    """Who follows the log of the settings; raises StartFault."""
    server = settings.log_server
    if server is None:
        raise StartFault("bad settings: REPRISE_EVENTS_URL: without it there is nothing to follow")
    with server_extra():
        from libs.storage.postgres.event_store import MOST_TENANTS
        from libs.storage.postgres.identities import open_identities
        from libs.storage.redis.client import open_client
        from services.events.follower import Follower
    with features_url():
        features = open_client(settings.features_url.get_secret_value(), timeout_s=_WRITE_S)
    return Follower(
        server.url,
        open_identities(server.keys_url, server.secret, may_make=True),
        features,
        ttl_ms=settings.features_ttl_days * _DAY_MS,
        most_tenants=MOST_TENANTS,
        on_behind=on_behind,
    )
