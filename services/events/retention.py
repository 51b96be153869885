"""Retention: what is no longer kept goes, beside everything else, a little at a time.

Decisions go after their 30 days; events are compacted after the days that the settings say, which
are counted from now – but a clock alone compacts nothing, because that cannot be undone.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import Fault
from libs.storage.compaction import (
    ACTIVE_DAYS,
    FIRST,
    STEP_EVENTS,
    believed_ms,
    compact_before,
)
from services.events.group_commit import GroupCommit
from services.events.ports import EventStore

# How often it is looked for what has become too old.
EVERY_S: Final = 3_600.0
# After each step writers have the disk for so many times what the step took.
_REST: Final = 2.0

# How long it is waited for somebody else who compacts.
_ELSEWHERE_S: Final = 0.5

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
        until_ms = await self._until_ms(now_ms)
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
            rest_s = _REST * (time.monotonic() - began_s)
            # Another replica's step, or whoever begins to follow, is over by then.
            await asyncio.sleep(max(rest_s, _ELSEWHERE_S) if done.is_elsewhere else rest_s)
        if count:
            log.info("events compacted", count=count, until_ms=until_ms)
        return count

    async def _until_ms(self, now_ms: int) -> int:
        """Up to when events are compacted, by the clock as far as the log bears it out."""
        days = await asyncio.to_thread(self._store.active_days, ACTIVE_DAYS)
        until_ms = compact_before(believed_ms(now_ms, days), self._days)
        if until_ms < compact_before(now_ms, self._days):
            log.info("days are counted from the log, which ends before today", until_ms=until_ms)
        return until_ms
