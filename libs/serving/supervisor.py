"""The parent of workers: holds their port, answers for their health, adds up their metrics.

It serves no call itself, so health answers however busy the workers are. Workers are started as
new interpreters by the command of this process: nothing is forked that gRPC has touched.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from libs.faults import StartFault
from libs.serving import ports
from libs.serving.health import HealthServer, start_health_server
from libs.serving.plan import Plan
from libs.serving.waiting import first_of
from libs.serving.worker import Said
from libs.telemetry.metrics import MULTIPROCESS_VARIABLE, shared_registry, start_metrics_server

# A worker that ends is started again after this long, so that one that cannot start at all
# does not take the machine with it.
RESTART_S: Final = 1.0

# Beyond notice and drain, for a worker to close what it holds before it is killed.
CLOSE_S: Final = 5.0


async def supervise(plan: Plan) -> int:
    """Run the plan's workers until SIGTERM or SIGINT; returns the exit code.

    Raises StartFault when a port is taken. When the first worker cannot start it has said why,
    and the exit code is 1.
    """
    log = structlog.get_logger()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as held:
        port = held.enter_context(ports.hold(plan.host, plan.port))
        health = start_health_server(plan.host, plan.health_port)
        held.callback(health.close)
        log.info("health", host=plan.host, port=health.port)
        # The port is this process's alone, so its number is a name that nobody else has.
        counts = plan.run_path / f"metrics-{plan.name}-{port.getsockname()[1]}"
        _make_empty(counts)
        held.callback(shutil.rmtree, counts, ignore_errors=True)
        listener = start_metrics_server(plan.host, plan.metrics_port, shared_registry(counts))
        held.callback(listener.close)
        log.info("metrics", host=plan.host, port=listener.port)
        environment = {
            MULTIPROCESS_VARIABLE: str(counts),
            f"REPRISE_{plan.name.upper()}_PORT": str(port.getsockname()[1]),
        }
        return await _Workers(plan, environment, health, stop).run()


def _make_empty(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise StartFault(f"cannot write {folder}: {error.strerror}") from error


@dataclass(slots=True, eq=False)
class _Worker:
    process: asyncio.subprocess.Process
    is_ready: dict[str, bool] = field(default_factory=dict)


class _Workers:
    """Starts the workers, starts those again that end, and stops them all."""

    def __init__(
        self, plan: Plan, environment: dict[str, str], health: HealthServer, stop: asyncio.Event
    ) -> None:
        self._plan = plan
        self._environment = environment
        self._health = health
        self._stop = stop
        self._workers: dict[int, _Worker] = {}
        self._first_listens = asyncio.Event()
        self._has_failed = False
        self._log = structlog.get_logger()

    async def run(self) -> int:
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(self._stop_all())
            # Alone at first: what keeps one from starting keeps all, and is to be said once.
            group.create_task(self._keep(1))
            await first_of(self._first_listens, self._stop)
            if not self._stop.is_set():
                for number in range(2, self._plan.workers + 1):
                    group.create_task(self._keep(number))
            await stopping
        self._log.info("stopped")
        return 1 if self._has_failed else 0

    async def _keep(self, number: int) -> None:
        while not self._stop.is_set():
            await self._run_one(number)
            if self._stop.is_set():
                return
            if not self._first_listens.is_set():
                self._has_failed = True
                self._stop.set()
                return
            self._log.warning("worker ended", worker=number, restart_s=RESTART_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), RESTART_S)

    async def _run_one(self, number: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *sys.orig_argv[1:],
                env={
                    **os.environ,
                    **self._environment,
                    "REPRISE_WORKER_NUMBER": str(number),
                    "REPRISE_WORKER_LINK": str(theirs.fileno()),
                },
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
            )
        worker = self._workers[number] = _Worker(process)
        if self._stop.is_set():
            process.terminate()
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            while line := await reader.readline():
                self._hear(worker, Said.decode(line))
            await process.wait()
        finally:
            writer.close()
            del self._workers[number]
            self._answer_for(worker.is_ready)

    def _hear(self, worker: _Worker, said: Said) -> None:
        if said.service:
            worker.is_ready[said.service] = said.is_ready
            self._answer_for((said.service,))
        else:
            self._first_listens.set()

    def _answer_for(self, services: "dict[str, bool] | tuple[str, ...]") -> None:
        """A service is ready where any worker is: the others take no connections yet."""
        for service in services:
            ready = [worker.is_ready.get(service, False) for worker in self._workers.values()]
            self._health.tell(service, any(ready) and not self._stop.is_set())

    async def _stop_all(self) -> None:
        await self._stop.wait()
        for worker in self._workers.values():
            self._answer_for(worker.is_ready)
            with contextlib.suppress(ProcessLookupError):
                worker.process.terminate()
        most_s = (self._plan.notice_ms + 2 * self._plan.drain_ms) / 1000 + CLOSE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                for worker in list(self._workers.values()):
                    await worker.process.wait()
        for worker in list(self._workers.values()):
            self._log.warning("worker killed", pid=worker.process.pid)
            with contextlib.suppress(ProcessLookupError):
                worker.process.kill()
