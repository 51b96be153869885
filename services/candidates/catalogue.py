"""The catalogue as the service holds it: the store on a thread of its own, and who watches it."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from libs.domain.title import Title
from services.candidates.ports import CatalogueStore

# The most titles in one part of a snapshot or batch of changes.
PART_SIZE: Final = 1_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Update:
    """A part of a snapshot, or changes; `sequence` is what is known in full after it, or 0."""

    titles: tuple[Title, ...]
    deleted_ids: tuple[str, ...]
    sequence: int
    is_snapshot: bool = False


class Catalogue:
    """Reads and writes the store without holding up the event loop, and tells of changes."""

    def __init__(self, store: CatalogueStore) -> None:
        self._store = store
        # One thread: the store takes one caller at a time, and a write waits for the disk.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="catalogue")
        self._changed = asyncio.Event()
        self._is_over = False

    async def upsert(self, tenant: str, titles: Sequence[Title]) -> tuple[int, int]:
        """Write titles, the last of each id; returns how many, and the sequence after it."""
        last = {title.title_id: title for title in titles}
        sequence = await self._run(lambda: self._store.upsert(tenant, list(last.values())))
        self._ring()
        return len(last), sequence

    async def delete(self, tenant: str, title_ids: Sequence[str]) -> tuple[int, int]:
        """Remove titles; returns how many existed, and the sequence after it."""
        distinct = list(dict.fromkeys(title_ids))
        deleted = await self._run(lambda: self._store.delete(tenant, distinct))
        self._ring()
        return deleted

    async def get(self, tenant: str, title_ids: Sequence[str]) -> list[Title]:
        """Those that exist, each once, in the order asked for."""
        distinct = list(dict.fromkeys(title_ids))
        return await self._run(lambda: self._store.get(tenant, distinct))

    async def list_after(self, tenant: str, after_id: str, most: int) -> list[Title]:
        """The next titles in ascending order of id."""
        return await self._run(lambda: self._store.list_after(tenant, after_id, most))

    async def count(self, tenant: str) -> int:
        """How many titles there are."""
        return await self._run(lambda: self._store.count(tenant))

    async def watch(self, tenant: str, after_sequence: int) -> AsyncGenerator[Update, None]:
        """Changes after a sequence as they happen, until `end`; after 0 a snapshot comes first.

        After a known sequence the first update comes at once and is empty.
        So it does after a sequence that was never reached: the file was made anew.
        """
        now = await self._run(lambda: self._store.sequence(tenant))
        if not 0 < after_sequence <= now:
            async with contextlib.aclosing(self._snapshot(tenant, now)) as parts:
                async for part in parts:
                    yield part
            after_sequence = now
        else:
            yield Update((), (), after_sequence)  # says at once that the feed stands
        while not self._is_over:
            changed = self._changed  # before looking, so that no change falls between
            news = await self._run(
                functools.partial(self._store.changes, tenant, after_sequence, PART_SIZE)
            )
            if news.sequence > after_sequence:
                after_sequence = news.sequence
                yield Update(news.titles, news.deleted_ids, news.sequence)
            else:
                await changed.wait()

    async def _snapshot(self, tenant: str, sequence: int) -> AsyncGenerator[Update, None]:
        # What changes while the parts are read comes again after `sequence`.
        part = await self.list_after(tenant, "", PART_SIZE)
        while len(part) == PART_SIZE:
            following = await self.list_after(tenant, part[-1].title_id, PART_SIZE)
            if not following:
                break
            yield Update(tuple(part), (), 0, is_snapshot=True)
            part = following
        yield Update(tuple(part), (), sequence, is_snapshot=True)

    def end(self) -> None:
        """Let every watcher end."""
        self._is_over = True
        self._ring()

    async def close(self) -> None:
        """Finish what was begun and close the store."""
        await self._run(self._store.close)
        self._thread.shutdown()

    def _ring(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
