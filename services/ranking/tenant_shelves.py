"""What ranking holds in memory for one tenant, and how it is kept up to date."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from libs.faults import PartUnavailable
from libs.serving.catalogue_feed import CatalogueFeed
from libs.serving.waiting import on_thread
from services.ranking.features import StoredTitleFeatures
from services.ranking.pipeline import Recommender
from services.ranking.shelf import Shelves

# Until the first catalogue has come, this often.
FIRST_LOOK_MS: Final = 50


class TenantShelves:
    """A tenant's shelves, its recommender over them, and what both are made from."""

    def __init__(
        self,
        *,
        recommender: Recommender,
        shelves: Shelves,
        feed: CatalogueFeed,
        titles: StoredTitleFeatures,
        note: Callable[[], Awaitable[None]],
        refresh_ms: int,
    ) -> None:
        self._recommender = recommender
        self._shelves = shelves
        self._feed = feed
        self._titles = titles
        self._note = note
        self._refresh_s = refresh_ms / 1000
        self._filled = asyncio.Event()

    @property
    def recommender(self) -> Recommender:
        """The pipeline over the newest shelf."""
        return self._recommender

    @property
    def is_filled(self) -> bool:
        """Whether there is a catalogue to recommend from."""
        return self._filled.is_set()

    async def filled(self, within_s: float) -> None:
        """Wait for the first catalogue, but no longer than that."""
        if not self.is_filled:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), within_s)

    async def run(self) -> None:
        """Follow catalogue, bundles and counters for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed.run())
            group.create_task(self._refresh())

    async def _refresh(self) -> None:
        """Look at everything again and again; files are read on another thread."""
        log = structlog.get_logger()
        was_there = True
        while True:
            await on_thread(self._shelves.refresh)
            shelf = self._shelves.current
            try:
                columns = shelf.columns if shelf is not None else None
                await on_thread(self._titles.refresh, columns)
                was_there = True
            except PartUnavailable as fault:
                if was_there:
                    log.warning("title features", cause=str(fault))
                was_there = False
            if shelf is not None:
                self._filled.set()
            await self._note()
            await asyncio.sleep(self._refresh_s if self.is_filled else FIRST_LOOK_MS / 1000)
