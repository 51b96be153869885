import asyncio
import threading

import pytest

from libs.serving.waiting import on_thread


async def test_the_result_of_a_thread_is_its_own() -> None:
    assert await on_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await on_thread(divmod, 7, 0)


async def test_whoever_is_cancelled_waits_for_the_thread() -> None:
    has_begun, may_end, has_ended = (threading.Event() for _ in range(3))

    def work() -> None:
        has_begun.set()
        may_end.wait(20)
        has_ended.set()

    task = asyncio.create_task(on_thread(work))
    await asyncio.to_thread(has_begun.wait, 20)
    task.cancel()
    await asyncio.wait([task], timeout=0.05)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert has_ended.is_set()
