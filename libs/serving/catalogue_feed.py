"""The catalogue in memory, followed through WatchTitles instead of asked for per request."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import structlog

from libs.domain.title import Title
from libs.faults import Fault

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """A part of a snapshot, or changes; `sequence` is what is known in full after it, or 0."""

    titles: tuple[Title, ...]
    deleted_ids: tuple[str, ...]
    sequence: int
    is_snapshot: bool


class CatalogueSource(Protocol):
    """Where changes of the catalogue come from."""

    def watch(self, tenant: str, after_sequence: int) -> AsyncIterator[CatalogueChange]:
        """A snapshot after sequence 0, then changes; raises a Fault when the source is gone."""
        ...


class CatalogueFeed:
    """Titles of one tenant as of the last change; says so when the source is away."""

    def __init__(self, source: CatalogueSource, tenant: str, *, retry_ms: int = 250) -> None:
        self._source = source
        self._tenant = tenant
        self._retry_s = retry_ms / 1000
        self._titles: dict[str, Title] = {}
        self._sequence = 0
        self._is_connected = False
        self._version = 0
        self._first = asyncio.Event()

    @property
    def titles(self) -> dict[str, Title]:
        """The catalogue by id; not to be changed by the caller."""
        return self._titles

    @property
    def version(self) -> int:
        """Grows with every change; 0 until the first snapshot is complete."""
        return self._version

    @property
    def is_connected(self) -> bool:
        """Whether changes are arriving now."""
        return self._is_connected

    async def filled(self, within_s: float) -> bool:
        """Wait for the first snapshot, but no longer than that; whether it is there."""
        if not self._first.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._first.wait(), within_s)
        return self._first.is_set()

    async def run(self) -> None:
        """Follow the source for ever; after an interruption go on where it ended."""
        is_told = False
        while True:
            try:
                await self._follow()
            except Fault as fault:
                # Once for each time away; also of a source that has never been there.
                if self._is_connected or not is_told:
                    log.warning("catalogue feed interrupted", tenant=self._tenant, cause=str(fault))
                    is_told = True
            self._is_connected = False
            await asyncio.sleep(self._retry_s)

    async def _follow(self) -> None:
        snapshot: dict[str, Title] = {}
        async for change in self._source.watch(self._tenant, self._sequence):
            if change.is_snapshot:
                snapshot |= {title.title_id: title for title in change.titles}
                if change.sequence == 0:
                    continue
                self._replace(snapshot, change.sequence)
                snapshot = {}
            elif change.titles or change.deleted_ids:
                gone = set(change.deleted_ids)
                kept = {key: title for key, title in self._titles.items() if key not in gone}
                self._replace(
                    kept | {title.title_id: title for title in change.titles}, change.sequence
                )
            if not self._is_connected:
                log.info("catalogue feed connected", titles=len(self._titles))
            self._is_connected = True

    def _replace(self, titles: dict[str, Title], sequence: int) -> None:
        self._titles = titles
        self._sequence = sequence
        self._version += 1
        self._first.set()
