"""What runs beside the calls: following a tenant's catalogue, bundles and title counters."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from libs.domain.title import Title
from libs.faults import PartUnavailable
from libs.serving.waiting import on_thread
from services.candidates.catalogue import Catalogue
from services.candidates.index import Indexes
from services.candidates.title_popularity import TitlePopularity


class Upkeep:
    """Keeps one tenant's indexes and counters up to date; `note` is called after each look."""

    def __init__(
        self,
        *,
        tenant: str,
        catalogue: Catalogue,
        indexes: Indexes,
        popularity: TitlePopularity,
        note: Callable[[], Awaitable[None]],
        refresh_ms: int,
    ) -> None:
        self._tenant = tenant
        self._catalogue = catalogue
        self._indexes = indexes
        self._popularity = popularity
        self._note = note
        self._refresh_s = refresh_ms / 1000
        self._titles: dict[str, Title] = {}
        self._sequence = 0
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Follow all three for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.follow_catalogue())
            group.create_task(self.follow_bundles())
            group.create_task(self.follow_features())

    async def follow_catalogue(self) -> None:
        """Hold all titles in memory, as of the last change."""
        async for update in self._catalogue.watch(self._tenant, 0):
            # A new mapping each time: the old one may be being read by the other thread.
            kept = self._titles
            if update.deleted_ids:
                gone = set(update.deleted_ids)
                kept = {key: title for key, title in kept.items() if key not in gone}
            self._titles = kept | {title.title_id: title for title in update.titles}
            if update.sequence:
                self._sequence = update.sequence
                self._changed.set()

    async def follow_bundles(self) -> None:
        """Align the indexes with the newest bundle and the catalogue, each as it changes."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._refresh_s)
            self._changed.clear()
            if self._sequence:
                await on_thread(self._indexes.refresh, self._titles, self._sequence)
                await self._note()

    async def follow_features(self) -> None:
        """Read the title counters that have changed."""
        log = structlog.get_logger()
        was_there = True
        while True:
            try:
                await on_thread(self._popularity.refresh, self._indexes.loaded)
                was_there = True
            except PartUnavailable as fault:
                if was_there:
                    log.warning("title features", tenant=self._tenant, cause=str(fault))
                was_there = False
            await asyncio.sleep(self._refresh_s)
