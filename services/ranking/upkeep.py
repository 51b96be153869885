"""What runs beside the calls: following the bundles, the catalogue and the counters."""

import asyncio

import structlog

from libs.faults import PartUnavailable
from libs.serving.application import Readiness
from services.ranking.features import StoredTitleFeatures
from services.ranking.shelf import Shelves

# Until the first catalogue has come, this often.
_FIRST_LOOK_S = 0.05


class Upkeep:
    """Keeps shelves and counters up to date, and the health of `service` true."""

    def __init__(
        self,
        *,
        service: str,
        shelves: Shelves,
        titles: StoredTitleFeatures,
        readiness: Readiness,
        refresh_ms: int,
    ) -> None:
        self._service = service
        self._shelves = shelves
        self._titles = titles
        self._readiness = readiness
        self._refresh_s = refresh_ms / 1000

    async def follow(self) -> None:
        """Look at everything again and again; files are read on another thread."""
        log = structlog.get_logger()
        was_there = True
        while True:
            await asyncio.to_thread(self._shelves.refresh)
            shelf = self._shelves.current
            try:
                columns = shelf.columns if shelf is not None else None
                await asyncio.to_thread(self._titles.refresh, columns)
                was_there = True
            except PartUnavailable as fault:
                if was_there:
                    log.warning("title features", cause=str(fault))
                was_there = False
            await self._readiness.set(self._service, shelf is not None)
            await asyncio.sleep(self._refresh_s if shelf is not None else _FIRST_LOOK_S)
