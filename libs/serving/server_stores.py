"""The stores past one machine, whose clients are imported where settings ask for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from libs.faults import StartFault
from libs.features.title_table import TitleChanges
from libs.serving.settings import SuiteSettings
from libs.storage.feature_reader import FeatureReader
from libs.storage.server_extra import server_extra

if TYPE_CHECKING:
    from libs.storage.redis.feature_reader import RedisProfiles

# Counters are followed on a thread, about once a second.
_TITLES_S: Final = 5.0


class ClosableTitleFeatures(Protocol):
    """Title counters as they change, from something that is closed at the end."""

    def title_changes(self, tenant: str, after_change: int) -> TitleChanges:
        """Rows changed since; raises PartUnavailable while the store is not there."""
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


@contextmanager
def features_url() -> Iterator[None]:
    """Raise StartFault, in one line, when the URL of the features is none."""
    try:
        yield
    except ValueError as error:
        raise StartFault(f"bad settings: REPRISE_FEATURES_URL: {error}") from None


def open_title_features(settings: SuiteSettings) -> ClosableTitleFeatures:
    """The title counters of the settings' feature store; raises StartFault."""
    if not settings.is_past_one_machine:
        return FeatureReader(settings.events_path)
    with server_extra():
        from libs.storage.redis.client import open_client
        from libs.storage.redis.feature_reader import RedisTitles
    with features_url():
        url = settings.features_url.get_secret_value()
        return RedisTitles(open_client(url, timeout_s=_TITLES_S))


def open_profile_features(settings: SuiteSettings) -> "RedisProfiles":
    """The profiles of the feature store past one machine; raises StartFault."""
    with server_extra():
        from libs.storage.redis.client import open_async_client
        from libs.storage.redis.feature_reader import RedisProfiles
    with features_url():
        return RedisProfiles(open_async_client(settings.features_url.get_secret_value()))
