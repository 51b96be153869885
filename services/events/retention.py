"""Retention: what is no longer kept goes, beside everything else, a little at a time.

Decisions go after their 30 days; events are compacted after the days that the settings say.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import Fault
from libs.storage.compaction import FIRST, STEP_EVENTS, compact_before
from services.events.group_commit import GroupCommit
from services.events.ports import EventStore

# How often it is looked for what has become too old.
EVERY_S: Final = 3_600.0
# After each step writers have the disk for so many times what the step took.
_REST: Final = 2.0

log = structlog.get_logger(__name__)


class Retention:
    """Compacts what is older than `days`, 0 for nothing; belongs to one event loop."""

    def __init__(
        self,
        store: EventStore,
        commits: GroupCommit,
        clock: Callable[[], int],
        *,
        days: int,
        every_s: float = EVERY_S,
    ) -> None:
        self._store = store
        self._commits = commits
        self._clock = clock
        self._days = days
        self._every_s = every_s

    async def run(self) -> None:
        """For ever; what cannot be done now is tried again."""
        while True:
            try:
                await self.keep()
            except Fault as fault:
                log.warning("retention waits", cause=fault.reason)
            await asyncio.sleep(self._every_s)

    async def keep(self) -> int:
        """Drop and compact all that is too old now; how many events were compacted.

        Raises a Fault when writes fail or too many wait; what was done until then is durable.
        """
        now_ms = self._clock()
        # Of whichever tenant: those that are kept no longer go with any batch.
        await self._commits.run(1, lambda: self._store.record_decisions(DEFAULT_TENANT, (), now_ms))
        if self._days == 0:
            return 0
        until_ms = compact_before(now_ms, self._days)
        count, after = 0, FIRST
        while True:
            began_s = time.monotonic()
            done = await self._commits.run(
                STEP_EVENTS, partial(self._store.compact, until_ms, after)
            )
            count += done.event_count
            if done.after is None:
                break
            after = done.after
            await asyncio.sleep(_REST * (time.monotonic() - began_s))
        if count:
            log.info("events compacted", count=count, until_ms=until_ms)
        return count
