"""The store past one machine: the log in PostgreSQL, and who keeps Redis up to it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from libs.serving.server_stores import features_url
from libs.storage.recorded_log import LogServer
from libs.storage.server_extra import server_extra
from services.events.settings import EventsSettings

if TYPE_CHECKING:
    from libs.storage.postgres.event_store import PostgresEventStore
    from services.events.features_erasure import FeaturesErasure
    from services.events.follower import Follower

_DAY_MS: Final = 86_400_000
# A rebuild writes thousands of profiles at once.
_WRITE_S: Final = 10.0
_ERASE_S: Final = 1.0


class ServerStore(NamedTuple):
    """The log, who keeps the features up to it, and how they are erased."""

    store: "PostgresEventStore"
    follower: "Follower"
    features: "FeaturesErasure"


def open_server_store(
    settings: EventsSettings, server: LogServer, on_behind: Callable[[float], None]
) -> ServerStore:
    """The stores of the settings; raises StartFault.

    `on_behind` is told how many seconds of the log the features lack.
    """
    with server_extra():
        from libs.storage.postgres.event_store import MOST_TENANTS, PostgresEventStore
        from libs.storage.postgres.identities import open_identities
        from libs.storage.redis.client import open_client
        from libs.storage.redis.feature_eraser import FeatureEraser
        from services.events.features_erasure import FeaturesErasure
        from services.events.follower import Follower
    with features_url():
        url = settings.features_url.get_secret_value()
        features = open_client(url, timeout_s=_WRITE_S)
        eraser = FeatureEraser(open_client(url, timeout_s=_ERASE_S))
    identities = open_identities(server.keys_url, server.secret, may_make=True)
    follower = Follower(
        server.url,
        identities,
        features,
        ttl_ms=settings.features_ttl_days * _DAY_MS,
        most_tenants=MOST_TENANTS,
        on_behind=on_behind,
    )
    store = PostgresEventStore(server.url, identities)
    return ServerStore(store, follower, FeaturesErasure(store, eraser))
