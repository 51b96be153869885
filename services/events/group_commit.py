"""Group commit: everything that waits becomes durable in one transaction, on one thread.

The disk's fsync sets the rate of commits; how many calls share one is up to how many wait. Those
who were answered together come back together, so a commit waits for as many calls as there were
about the one before; a caller who is alone never waits for anybody.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import structlog

from libs.faults import Overloaded
from libs.storage.transaction_lost import TransactionLost, WriteConflict

log = structlog.get_logger(__name__)

ResultT = TypeVar("ResultT")

# Waiters behind a commit of this many rows would wait for a second and more.
MOST_PER_COMMIT: Final = 20_000

# A commit of a full group takes about as long.
RETRY_AFTER_MS: Final = 500


# Who gives way has waited for a second; twice in a row takes a third writer of the same events.
MOST_CONFLICTS: Final = 3


class Transactional(Protocol):
    """Something whose writes can be made durable together."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes of the block durable together, or none of them.

        A write that raises TransactionLost has undone those before it too.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    size: int
    write: Callable[[], Any]
    answer: asyncio.Future[Any]
    arrived_s: float  # by the clock of the event loop


class GroupCommit:
    """Runs writes in the order they come; belongs to one event loop."""

    def __init__(
        self,
        store: Transactional,
        *,
        most_waiting: int,
        delay_ms: int = 0,
        on_commit: Callable[[int], None] | None = None,
    ) -> None:
        """`most_waiting` bounds the rows of all calls that have no answer yet.

        No call waits longer than `delay_ms` for others to join it. `on_commit` is told of each
        durable commit how many calls shared it.
        """
        self._store = store
        self._most_waiting = most_waiting
        self._delay_s = delay_ms / 1000
        self._on_commit = on_commit
        # How many calls there were about the last commit: in it, and come during it.
        self._crowd = 1
        self._is_gathered = asyncio.Event()
        self._is_closing = False
        self._is_failing = False
        self._waiting: deque[_Call] = deque()
        self._waiting_size = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._committing: asyncio.Task[None] | None = None

    async def run(self, size: int, write: Callable[[], ResultT]) -> ResultT:
        """What `write` of `size` rows returns, once that is durable; what it raises, if it does.

        A write that raises leaves nothing behind and does not touch the others of its group,
        unless the store lost the transaction: then every call of the group raises.
        Raises Overloaded when too much waits already.
        """
        if self._waiting_size and self._waiting_size + size > self._most_waiting:
            raise Overloaded("rows waiting to be written", retry_after_ms=RETRY_AFTER_MS)
        loop = asyncio.get_running_loop()
        call = _Call(size, write, loop.create_future(), loop.time())
        self._waiting.append(call)
        self._waiting_size += size
        if self._is_enough:
            self._is_gathered.set()
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        answer: ResultT = await call.answer
        return answer

    async def close(self) -> None:
        """Commit what waits, then stop the thread."""
        self._is_closing = True
        self._is_gathered.set()
        if self._committing is not None:
            await self._committing
        self._thread.shutdown()

    async def _commit_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await self._gather()
            group = self._next_group()
            # A caller that has gone away meanwhile is not written for.
            calls = [call for call in group if not call.answer.done()]
            outcomes = await loop.run_in_executor(self._thread, self._commit, calls)
            self._waiting_size -= sum(call.size for call in group)
            self._crowd = len(group) + len(self._waiting)
            for call, outcome in zip(calls, outcomes, strict=True):
                if call.answer.done():
                    continue
                if isinstance(outcome, Exception):
                    call.answer.set_exception(outcome)
                else:
                    call.answer.set_result(outcome)

    @property
    def _is_enough(self) -> bool:
        return len(self._waiting) >= self._crowd or self._waiting_size >= MOST_PER_COMMIT

    async def _gather(self) -> None:
        """Wait for the others, as long as the first of those who wait already may."""
        waited_s = asyncio.get_running_loop().time() - self._waiting[0].arrived_s
        if self._is_enough or self._is_closing or waited_s >= self._delay_s:
            return
        self._is_gathered.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._delay_s - waited_s):
                await self._is_gathered.wait()

    def _next_group(self) -> list[_Call]:
        group = [self._waiting.popleft()]
        size = group[0].size
        while self._waiting and size + self._waiting[0].size <= MOST_PER_COMMIT:
            group.append(self._waiting.popleft())
            size += group[-1].size
        return group

    def _commit(self, calls: Sequence[_Call]) -> list[Any]:
        """The result of every call, or the exception that it is to see; on the writer thread."""
        try:
            outcomes = self._written(calls)
            self._note(None)
            if self._on_commit is not None and calls:
                self._on_commit(len(calls))
            return outcomes
        except Exception as error:  # whatever it was, nothing is durable and every caller must know
            self._note(error)
            return [error] * len(calls)

    def _written(self, calls: Sequence[_Call]) -> list[Any]:
        """One transaction of all calls, run again where it gave way to another writer's."""
        for _ in range(MOST_CONFLICTS):
            with contextlib.suppress(WriteConflict), self._store.transaction():
                return [_outcome(call.write) for call in calls]
        with self._store.transaction():
            return [_outcome(call.write) for call in calls]

    def _note(self, error: Exception | None) -> None:
        """Log where failing begins and where it ends: callers try again all the while."""
        if (error is not None) is self._is_failing:
            return
        self._is_failing = error is not None
        if error is None:
            log.info("writes succeed again")
        else:
            log.error("writes fail", cause=str(error))


def _outcome(write: Callable[[], Any]) -> Any:
    try:
        return write()
    except TransactionLost:  # the group has nothing left to go on with
        raise
    except Exception as error:  # its caller is told; the others of the group go on
        return error
