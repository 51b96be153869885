"""One client process: `python -m cli.load.worker` reads its job, waits for the start, calls.

It writes "ready" when its connections stand and its requests are encoded, takes the moment of
the start (seconds of the monotonic clock, which all processes of a machine share), and writes
its report. What prevents that is one line on standard error.
"""

import asyncio
import gc
import sys
import time
from typing import Final

import grpc
import psutil
import uvloop

from cli.load.caller import Caller, open_channels
from cli.load.job import Calls, Job, Report
from cli.load.requests import Requests
from libs.faults import StartFault

# Answers that nobody reads would fill the memory: an open loop with this many calls
# in flight counts further arrivals as not sent. Deadlines free them again.
MOST_IN_FLIGHT: Final = 20_000
# So many arrivals that are due leave before answers are looked at again.
_BURST: Final = 32
# Event loops wake no finer than this; waiting for less would be spinning.
_TICK_S: Final = 0.001


class Worker:
    """Makes the calls of one job from `start_s` on and keeps what came of them."""

    def __init__(self, job: Job, caller: Caller, start_s: float) -> None:
        self._job = job
        self._caller = caller
        self._start_s = start_s
        self._plan = job.plan
        self._end_s = start_s + (job.plan.duration_s or float("inf"))
        self._unsent = 0

    async def run(self) -> Report:
        """Make all calls; answers still due at the end are waited for."""
        await asyncio.sleep(max(0.0, self._start_s - time.monotonic()))
        before = _Usage.now(self._job.core)
        if self._plan.rate is None:
            await self._closed_loop()
            cpu_s, idle = before.until_now()
            sending_s = time.monotonic() - self._start_s
        else:
            waiting = await self._open_loop(self._plan.rate)
            cpu_s, idle = before.until_now()
            sending_s = time.monotonic() - self._start_s
            await asyncio.gather(*waiting)
        return Report(
            calls=Calls.of(self._caller.rows),
            errors=self._caller.errors,
            unsent=self._unsent,
            sending_s=sending_s,
            cpu_s=cpu_s,
            core_idle_share=idle,
        )

    async def _closed_loop(self) -> None:
        numbers = iter(self._numbers(self._plan.total))

        async def call_until_over() -> None:
            for number in numbers:
                now = time.monotonic()
                if now >= self._end_s:
                    return
                await self._caller.call(number, now)

        await asyncio.gather(*(call_until_over() for _ in range(self._job.concurrency)))

    async def _open_loop(self, rate: float) -> set[asyncio.Task[None]]:
        """Begin every call at its time; returns those that still run."""
        running: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        burst = 0
        for number in self._numbers(self._plan.call_count):
            due = self._start_s + number / rate
            # Again and again: a timer may ring a little early.
            while (left_s := due - time.monotonic()) > 0:
                burst = 0
                await asyncio.sleep(max(left_s, _TICK_S))
            if burst >= _BURST:
                burst = 0
                await asyncio.sleep(0)
            burst += 1
            if len(running) >= MOST_IN_FLIGHT or time.monotonic() >= self._end_s + _TICK_S:
                self._unsent += 1
                continue
            task = loop.create_task(self._caller.call(number, due))
            running.add(task)
            task.add_done_callback(running.discard)
        return running

    def _numbers(self, total: int | None) -> range:
        end = sys.maxsize if total is None else total
        return range(self._job.index, end, self._plan.processes)


class _Usage:
    """What this process and its core had used at one moment."""

    def __init__(self, core: int | None) -> None:
        self._core = core
        self._cpu_s = time.process_time()
        self._core_times = None if core is None else _core_times(core)

    @staticmethod
    def now(core: int | None) -> "_Usage":
        """The present use."""
        return _Usage(core)

    def until_now(self) -> tuple[float, float | None]:
        """CPU seconds of the process since then, and the idle share of its core if it has one."""
        cpu_s = time.process_time() - self._cpu_s
        if self._core is None or self._core_times is None:
            return cpu_s, None
        idle, total = _core_times(self._core)
        passed = total - self._core_times[1]
        return cpu_s, (idle - self._core_times[0]) / passed if passed > 0 else None


def _core_times(core: int) -> tuple[float, float]:
    """(idle, total) seconds of one core."""
    times = psutil.cpu_times(percpu=True)[core]
    # Guests are counted in user and nice already.
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return times.idle + getattr(times, "iowait", 0.0), total


async def work(job: Job, requests: Requests) -> Report:
    """Connect, say so, wait for the start, run."""
    async with open_channels(job) as channels:
        loop = asyncio.get_running_loop()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        start_s = float(await loop.run_in_executor(None, sys.stdin.readline))
        gc.freeze()
        caller = Caller(job, channels, requests, start_s)
        return await Worker(job, caller, start_s).run()


def main() -> None:
    """Do the job that stands on standard input."""
    job = Job.load(sys.stdin.buffer.readline())
    if job.core is not None:
        psutil.Process().cpu_affinity([job.core])
    requests = Requests(job.method, job.rows, seed=job.plan.seed)
    count = job.plan.call_count
    requests.encode_constant()
    if count is not None and not requests.are_constant:
        requests.encode_ahead(range(job.index, count, job.plan.processes))
    try:
        report = uvloop.run(work(job, requests))
    except (StartFault, grpc.RpcError) as fault:
        sys.exit(str(fault))
    report.write(sys.stdout.buffer)


if __name__ == "__main__":
    main()
