"""The outbox at work: waiting events go to the events service, and are forgotten once taken."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from libs.domain.event import Event
from libs.domain.rejection import Rejection, RejectionReason
from libs.faults import DeadlineSpent, Fault, Overloaded, PartUnavailable
from libs.serving.waiting import on_thread
from libs.storage.recap.database import Database
from libs.storage.recap.outbox_table import WaitingEvent, oldest_events, remove_events

log = structlog.get_logger(__name__)

BATCH_SIZE: Final = 500
# What another replica has written is found by looking; what this one writes wakes it.
LOOK_S: Final = 2.0
RETRY_S: Final = 0.5


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
    """Sends what waits, the oldest first; belongs to one event loop.

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
        self._is_away = False

    def wake(self) -> None:
        """Say that something was written."""
        self._arrived.set()

    async def run(self) -> None:
        """Send for ever; after a failure the same events are tried again."""
        while True:
            try:
                is_more = await self.send_batch()
            except Fault as fault:
                if not self._is_away:
                    log.warning("events wait in the outbox", cause=str(fault))
                self._is_away = True
                await asyncio.sleep(RETRY_S)
                continue
            self._is_away = False
            if is_more:
                continue
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._arrived.wait()
            except TimeoutError:
                pass
            self._arrived.clear()

    async def send_batch(self) -> bool:
        """Send the oldest; whether there were any. Raises a Fault when they are to be tried again.

        What the log refuses for good is logged and forgotten: it would hold up all behind it.
        """
        waiting = await on_thread(self._oldest)
        if not waiting:
            return False
        events = [one.event for one in waiting]
        try:
            rejections = await self._writer.record_events(waiting[0].tenant, events)
        except (PartUnavailable, Overloaded, DeadlineSpent):
            raise
        except Fault as fault:
            log.error("events refused", cause=str(fault), count=len(events))
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

    def _oldest(self) -> list[WaitingEvent]:
        with self._database.read() as connection:
            return oldest_events(connection, BATCH_SIZE)

    def _remove(self, taken: list[WaitingEvent]) -> None:
        with self._database.write() as connection:
            remove_events(connection, taken)
