"""The store past one machine: the log in PostgreSQL, and who keeps Redis up to it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from libs.serving.server_stores import features_url
from libs.storage.server_extra import server_extra
from services.events.settings import EventsSettings

if TYPE_CHECKING:
    from libs.storage.postgres.event_store import PostgresEventStore
    from services.events.follower import Follower

_DAY_MS: Final = 86_400_000
# A rebuild writes thousands of profiles at once.
_WRITE_S: Final = 10.0


def open_server_store(
    settings: EventsSettings, on_behind: Callable[[float], None]
) -> "tuple[PostgresEventStore, Follower]":
    """The log of the settings, and its follower; raises StartFault.

    `on_behind` is told how many seconds of the log the features lack.
    """
    with server_extra():
        from libs.storage.postgres.event_store import MOST_TENANTS, PostgresEventStore
        from libs.storage.redis.client import open_client
        from services.events.follower import Follower
    with features_url():
        features = open_client(settings.features_url.get_secret_value(), timeout_s=_WRITE_S)
    log_url = settings.events_url.get_secret_value()
    follower = Follower(
        log_url,
        features,
        ttl_ms=settings.features_ttl_days * _DAY_MS,
        most_tenants=MOST_TENANTS,
        on_behind=on_behind,
    )
    return PostgresEventStore(log_url), follower
