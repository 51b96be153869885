"""Waiting: for whichever comes first, and for what a thread is still doing."""

import asyncio
import contextvars
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


async def on_thread(work: Callable[..., ResultT], *args: Any) -> ResultT:
    """As asyncio.to_thread, but whoever is cancelled waits for the thread to be done.

    What the thread uses may so be closed as soon as its task has ended: closing a connection of
    SQLite that another thread is reading from ends the process.
    """
    # What asyncio.to_thread does, without a task of its own for it.
    call = functools.partial(contextvars.copy_context().run, work, *args)
    working = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, ResultT]) -> AsyncIterator[asyncio.Task[ResultT]]:
    """Work that goes on beside a block, which may wait for it; it ends with the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def first_of(*events: asyncio.Event) -> None:
    """Return when any of the events is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
