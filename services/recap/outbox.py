"""The outbox at work: waiting events go to the events service, and are forgotten once taken."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from libs.domain.event import Event
from libs.domain.rejection import Rejection, RejectionReason
from libs.faults import DeadlineSpent, Fault, Overloaded, PartUnavailable
from libs.serving.waiting import on_thread
from libs.storage.recap.database import Database
from libs.storage.recap.outbox_table import (
    WaitingEvent,
    oldest_events,
    remove_events,
    waiting_tenants,
)
from services.recap.turns import Turns

log = structlog.get_logger(__name__)

BATCH_SIZE: Final = 500
# What another replica has written is found by looking; what this one writes wakes it.
LOOK_S: Final = 2.0
RETRY_S: Final = 0.5
MOST_RETRY_S: Final = 8.0
# Tenants whose events are on their way at once: a slow answer to one holds up none of the others.
MOST_AT_ONCE: Final = 4


class EventWriter(Protocol):
    """The events service, as far as recording goes."""

    async def record_events(self, tenant: str, events: Sequence[Event]) -> Sequence[Rejection]:
        """Record a batch, idempotent by event_id, but for those that are rejected.

        Raises a Fault when none was recorded.
        """
        ...


def _uncounted(count: int) -> None:
    """Count nothing."""


class Outbox:
    """Sends what waits, tenants side by side, each one's oldest first; belongs to one event loop.

    Replicas may send the same events: the log takes each id once. `count_lost` is told how many
    the log has refused for good.
    """

    def __init__(
        self,
        database: Database,
        writer: EventWriter,
        count_lost: Callable[[int], None] = _uncounted,
    ) -> None:
        self._database = database
        self._writer = writer
        self._count_lost = count_lost
        self._arrived = asyncio.Event()
        self._turns = Turns(most_at_once=MOST_AT_ONCE, rest_s=RETRY_S, most_rest_s=MOST_RETRY_S)

    def wake(self) -> None:
        """Say that something was written."""
        self._arrived.set()

    async def run(self) -> None:
        """Send for ever; after a failure a tenant's events are tried again, and others go on."""
        async with asyncio.TaskGroup() as group:
            is_away = False
            while True:
                self._arrived.clear()
                try:
                    waiting = await on_thread(self._waiting)
                except Fault as fault:
                    if not is_away:
                        log.warning("the outbox cannot be read", cause=str(fault))
                    is_away = True
                    await asyncio.sleep(RETRY_S)
                    continue
                is_away = False
                for tenant in self._turns.begin(waiting):
                    group.create_task(self._turn(tenant))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._arrived.wait()

    async def _turn(self, tenant: str) -> None:
        """One batch of a tenant, and a rest where it failed; the end of either is looked at."""
        try:
            await self.send_batch(tenant)
        except Fault as fault:
            rest_s, is_first = self._turns.fail(tenant)
            if is_first:
                log.warning("events wait in the outbox", tenant=tenant, cause=str(fault))
            self.wake()
            await asyncio.sleep(rest_s)
            self._turns.rested(tenant)
        else:
            self._turns.end(tenant)
        self.wake()

    async def send_batch(self, tenant: str) -> bool:
        """Send a tenant's oldest; whether there were any.

        Raises a Fault when they are to be tried again. What the log refuses for good is logged
        and forgotten: it would hold up all behind it.
        """
        waiting = await on_thread(self._oldest, tenant)
        if not waiting:
            return False
        events = [one.event for one in waiting]
        try:
            rejections = await self._writer.record_events(tenant, events)
        except (PartUnavailable, Overloaded, DeadlineSpent):
            raise
        except Fault as fault:
            log.error("events refused", tenant=tenant, cause=str(fault), count=len(events))
            self._count_lost(len(events))
        else:
            for rejection in rejections:
                # Whoever was erased meanwhile is not to be logged, and nothing is lost with it.
                if rejection.reason is not RejectionReason.ERASED_PROFILE:
                    self._count_lost(1)
                    log.error(
                        "event rejected",
                        event_id=events[rejection.index].event_id,
                        field=rejection.field,
                        problem=rejection.problem,
                    )
        await on_thread(self._remove, waiting)
        return True

    def _waiting(self) -> list[str]:
        with self._database.read() as connection:
            return waiting_tenants(connection)

    def _oldest(self, tenant: str) -> list[WaitingEvent]:
        with self._database.read() as connection:
            return oldest_events(connection, tenant, BATCH_SIZE)

    def _remove(self, taken: list[WaitingEvent]) -> None:
        # Should they come back after a crash, they are sent again, and the log takes each id once;
        # whoever writes next need not wait for the disk behind this.
        with self._database.write_unsynced() as connection:
            remove_events(connection, taken)
