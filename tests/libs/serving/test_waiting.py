import asyncio
import threading

import pytest

from libs.serving.waiting import beside, on_thread


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


async def test_work_beside_a_block_is_there_for_it_and_ends_with_it() -> None:
    async def soon() -> int:
        await asyncio.sleep(0)
        return 7

    async with beside(soon()) as found:
        assert await found == 7
    async with beside(asyncio.sleep(60, "late")) as unwanted:
        pass
    assert unwanted.cancelled()


async def test_a_failure_beside_a_block_is_that_of_who_waits_for_it() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async with beside(fail()) as unwanted:
        await asyncio.sleep(0)
    assert isinstance(unwanted.exception(), ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        async with beside(fail()) as wanted:
            await wanted
