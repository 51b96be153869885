"""The decision log: decisions leave after the answer, through a bounded queue.

While the events service is away the queue holds what fits; beyond that, and
whatever is still here when the process ends, is lost and counted.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from libs.domain.decision import Decision
from libs.domain.rejection import Rejection, RejectionReason
from libs.faults import DeadlineSpent, Fault, Overloaded, PartUnavailable

log = structlog.get_logger(__name__)

BATCH_SIZE: Final = 500
# Far below what a request may hold: a batch that events must refuse for its size stays for ever.
BATCH_BYTES: Final = 1_000_000


class DecisionWriter(Protocol):
    """The events service, as far as decisions go."""

    async def record_decisions(self, tenant: str, decisions: list[Decision]) -> Sequence[Rejection]:
        """Store a batch, idempotent by page_id, but for those that are rejected.

        Raises a Fault when none was stored.
        """
        ...


class QueuedDecisionLog:
    """Holds decisions in order and hands them to `writer` in batches of one tenant."""

    def __init__(
        self,
        writer: DecisionWriter,
        *,
        capacity: int,
        linger_ms: int,
        retry_ms: int,
        on_lost: "Counting",
    ) -> None:
        self._writer = writer
        self._capacity = capacity
        self._linger_s = linger_ms / 1000
        self._retry_s = retry_ms / 1000
        self._on_lost = on_lost
        self._waiting: deque[tuple[str, Decision]] = deque()
        self._arrived = asyncio.Event()
        # `close` may come while `run` is writing: a batch is one writer's from its first look.
        self._writing = asyncio.Lock()
        self._is_reachable = True

    @property
    def is_reachable(self) -> bool:
        """Whether the last attempt to write, or to connect, succeeded."""
        return self._is_reachable

    def mark_reachable(self, is_reachable: bool) -> None:
        """Note what somebody who watches the connection has seen."""
        self._is_reachable = is_reachable

    @property
    def waiting_count(self) -> int:
        """How many decisions have not been written yet."""
        return len(self._waiting)

    def log(self, tenant: str, decision: Decision) -> None:
        """Queue a decision; when the queue is full the decision is lost and counted."""
        if len(self._waiting) >= self._capacity:
            self._on_lost(1)
            return
        self._waiting.append((tenant, decision))
        self._arrived.set()

    async def forget(self, tenant: str, profile_id: str) -> int:
        """Drop what waits of a profile; how many decisions that were. None of them is lost."""
        async with self._writing:
            kept = [
                one for one in self._waiting if (one[0], one[1].profile_id) != (tenant, profile_id)
            ]
            count = len(self._waiting) - len(kept)
            self._waiting = deque(kept)
        return count

    def waiting_of(self, tenant: str, profile_id: str) -> list[Decision]:
        """What waits of a profile, oldest first."""
        return [
            decision
            for owner, decision in self._waiting
            if (owner, decision.profile_id) == (tenant, profile_id)
        ]

    async def run(self) -> None:
        """Write what arrives, for ever; after a failure the same batch is tried again."""
        while True:
            await self._arrived.wait()
            # Others follow soon, and a batch costs events little more than one decision.
            await asyncio.sleep(self._linger_s)
            self._arrived.clear()
            while self._waiting:
                if not await self._write_batch():
                    await asyncio.sleep(self._retry_s)

    async def close(self) -> None:
        """Write what is left, once; count what could not be written as lost."""
        while self._waiting:
            if not await self._write_batch():
                self._on_lost(len(self._waiting))
                log.warning("decisions lost at shutdown", count=len(self._waiting))
                self._waiting.clear()

    async def _write_batch(self) -> bool:
        async with self._writing:
            if not self._waiting:
                return True
            tenant, batch = self._next_batch()
            try:
                rejections = await self._writer.record_decisions(tenant, batch)
            except (PartUnavailable, Overloaded, DeadlineSpent) as fault:
                if self._is_reachable:
                    log.warning("decisions wait for events", cause=str(fault), waiting=len(batch))
                self._is_reachable = False
                return False
            except Fault as fault:
                # Trying again would hold up every decision behind these.
                log.error("decisions refused by events", cause=str(fault), count=len(batch))
                self._on_lost(len(batch))
            else:
                # Whoever was erased meanwhile is not to be logged, and nothing is lost with it.
                rejections = [
                    one for one in rejections if one.reason is not RejectionReason.ERASED_PROFILE
                ]
                for rejection in rejections:
                    log.error(
                        "decision rejected by events",
                        page_id=batch[rejection.index].page_id,
                        field=rejection.field,
                        problem=rejection.problem,
                    )
                self._on_lost(len(rejections))
            self._is_reachable = True
            for _ in batch:
                self._waiting.popleft()
            return True

    def _next_batch(self) -> tuple[str, list[Decision]]:
        """The oldest decisions of one tenant, bounded in count and in bytes; at least one."""
        tenant = self._waiting[0][0]
        batch: list[Decision] = []
        size = 0
        for owner, decision in self._waiting:
            size += size_of(decision)
            if owner != tenant or len(batch) == BATCH_SIZE or (batch and size > BATCH_BYTES):
                break
            batch.append(decision)
        return tenant, batch


def size_of(decision: Decision) -> int:
    """About how many bytes a decision takes in a request, rather more than less."""
    ids = (*decision.title_ids, *decision.removed_title_ids, *decision.removed_reasons)
    return 400 + 10 * len(decision.propensities) + sum(4 * len(one) + 3 for one in ids)


class Counting(Protocol):
    """Something that counts."""

    def __call__(self, count: int, /) -> None:
        """Count that many more."""
        ...
