"""The follower: keeps the feature store up to the log, in one replica at a time."""

import threading
import time
from collections.abc import Callable
from typing import Final

import psycopg
import redis
import structlog

from libs.faults import PartUnavailable
from libs.storage.postgres.identities import Identities
from libs.storage.postgres.log_feed import LogFeed
from libs.storage.redis.client import Client
from libs.storage.redis.feature_writer import FeatureWriter, Superseded
from services.events.projection import Projection

# An event is seen this much later on average than it was written; a look costs half a millisecond.
_LOOK_S: Final = 0.01
# How often replicas that do not follow ask whether somebody still does, and lost ones try again.
_RETRY_S: Final = 0.25
# How often it is asked whether Redis is still the same process.
_CHECK_S: Final = 0.5
_TIDY_S: Final = 60.0


class Follower:
    """Runs on a thread until it is stopped, and outlives failures of either server."""

    def __init__(
        self,
        log_url: str,
        identities: Identities,
        features: Client,
        *,
        ttl_ms: int,
        most_tenants: int,
        on_behind: Callable[[float], None],
    ) -> None:
        """`on_behind` is told how many seconds of the log were not taken over yet.

        `identities` and `features` are closed at the end.
        """
        self._log_url = log_url
        self._identities = identities
        self._features = features
        self._ttl_ms = ttl_ms
        self._most_tenants = most_tenants
        self._on_behind = on_behind
        self._stop = threading.Event()
        self._log = structlog.get_logger()

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stop.set()

    def run(self) -> None:
        """Follow as long as nobody else does, until stopped."""
        while not self._stop.is_set():
            try:
                self._follow()
            except (psycopg.Error, redis.RedisError, OSError, PartUnavailable, Superseded) as error:
                said = " ".join(str(error).split()) or type(error).__name__
                self._log.warning("features are not kept up", cause=said)
                self._stop.wait(_RETRY_S)
        self._features.close()
        self._identities.close()

    def _follow(self) -> None:
        feed = LogFeed(self._log_url, self._identities)
        try:
            epoch = feed.lead()
            while epoch is None:
                if self._stop.wait(_RETRY_S):
                    return
                epoch = feed.lead()
            writer = FeatureWriter(self._features, epoch=epoch, ttl_ms=self._ttl_ms)
            projection = Projection(feed, writer, most_tenants=self._most_tenants)
            started = time.monotonic()
            if projection.begin(self._stop.is_set):
                spent_s = round(time.monotonic() - started, 3)
                self._log.info("features were rebuilt from the log", seconds=spent_s)
            self._keep_up(projection)
        finally:
            feed.close()

    def _keep_up(self, projection: Projection) -> None:
        checked = tidied = time.monotonic()
        while not self._stop.is_set():
            stretch = projection.step()
            self._on_behind(0.0 if stretch.is_last else stretch.oldest_s)
            now = time.monotonic()
            if now - checked > _CHECK_S:
                checked = now
                if not projection.is_current():
                    return
            if now - tidied > _TIDY_S:
                tidied = now
                projection.forget_followed()
            if stretch.is_last:
                self._stop.wait(_LOOK_S)
