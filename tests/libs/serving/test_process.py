"""Services as real processes: one alone, and several that share a port."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import psutil
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.faults import DeadlineSpent, PartUnavailable
from libs.serving.channels import call, open_channel
from tests.free_ports import free_ports

pytestmark = pytest.mark.end_to_end

NAME = "reprise.tests.EchoService"
STATUS = health_pb2.HealthCheckResponse.ServingStatus
WITHIN_S = 20

SCRIPT = """
import asyncio, dataclasses, os, sys, time
import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from libs.faults import StartFault
from libs.serving.identity import as_everybody
from libs.serving.application import Application, Mounted
from libs.serving.process import serve
from libs.serving.settings import SuiteSettings
from libs.telemetry.logs import configure_logs
from libs.telemetry.metrics import ServiceMetrics

async def say(request, context):
    match request.seconds:
        case 6:
            time.sleep(request.nanos / 1e9)  # busy, as far as the event loop is concerned
        case 7:
            sys.stdout.write("entered\\n"); sys.stdout.flush()
            # In flight until the drain has begun: the test sees the signal taken, then lets go.
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        case 9:
            return Timestamp(seconds=os.getpid())
    return request

def mount(server):
    server.add_registered_method_handlers("reprise.tests.EchoService", {
        "Say": grpc.unary_unary_rpc_method_handler(
            say, Timestamp.FromString, Timestamp.SerializeToString)})

async def build(readiness):
    if settings.log_level == "error":
        raise StartFault("no data")
    await readiness.set("reprise.tests.EchoService", True)
    return Application((Mounted("reprise.tests.EchoService", mount),), authorize=as_everybody)

configure_logs("echo", is_terminal=False)
settings = SuiteSettings()
plan = dataclasses.replace(
    settings.plan("ranking"), name="echo",
    port=int(os.environ.get("REPRISE_ECHO_PORT", settings.ranking_port)))
sys.exit(serve(build, plan, ServiceMetrics()))
"""


@dataclass(frozen=True)
class Service:
    """A process, its ports, and what it says."""

    process: asyncio.subprocess.Process
    port: int
    health_port: int
    metrics_port: int

    async def line_with(self, word: str) -> dict[str, Any]:
        """The next log line with that word."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            while word not in (line := (await self.process.stdout.readline()).decode()):
                assert line, f"ended before it said {word!r}"
        return dict(json.loads(line)) if line.startswith("{") else {}

    async def ended(self) -> tuple[int | None, str]:
        """The exit code and what was written to standard error."""
        _, errors = await asyncio.wait_for(self.process.communicate(), WITHIN_S)
        return self.process.returncode, errors.decode()

    def workers(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children())

    def counted(self) -> float:
        """How many calls of Say were answered, as the metrics port has it."""
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as page:
            lines = page.read().decode().splitlines()
        wanted = f'reprise_rpc_handled_total{{code="OK",method="/{NAME}/Say"}}'
        wanted_too = f'reprise_rpc_handled_total{{method="/{NAME}/Say",code="OK"}}'
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith((wanted, wanted_too))
        )


@contextlib.asynccontextmanager
async def started(home: Path, **settings: object) -> AsyncIterator[Service]:
    ports = dict(zip(("", "_HEALTH", "_METRICS"), free_ports(3), strict=True))
    pipe = asyncio.subprocess.PIPE
    values = {
        "HOME": home,
        "HOST": "127.0.0.1",
        "DRAIN_MS": 20_000,
        **{f"RANKING{kind}_PORT": port for kind, port in ports.items()},
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SCRIPT,
        env={**os.environ, **{f"REPRISE_{name}": str(value) for name, value in values.items()}},
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        cwd=Path(__file__).parents[3],
    )
    try:
        yield Service(
            process,
            int(str(values["RANKING_PORT"])),
            int(str(values["RANKING_HEALTH_PORT"])),
            int(str(values["RANKING_METRICS_PORT"])),
        )
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def say(channel: grpc.aio.Channel) -> Any:
    return channel.unary_unary(f"/{NAME}/Say", Timestamp.SerializeToString, Timestamp.FromString)


async def health(service: Service, name: str = NAME, timeout_s: float = 5) -> Any:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{service.health_port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=name)
        answer = await stub.Check(request, timeout=timeout_s, wait_for_ready=True)
    return answer.status


async def until(fact: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await fact():
            pass


async def pids(service: Service, count: int) -> set[int]:
    """Who answers `count` calls, each on a connection of its own."""
    found = set()
    for _ in range(count):
        async with open_channel(f"127.0.0.1:{service.port}") as channel:
            answer = await call("echo", say(channel), Timestamp(seconds=9), timeout_s=5)
            found.add(answer.seconds)
    return found


@pytest.mark.parametrize("workers", [1, 2])
async def test_health_is_of_the_process_and_of_each_service(tmp_path: Path, workers: int) -> None:
    async with started(tmp_path, WORKERS=workers) as service:
        await service.line_with("listening")
        assert await health(service, "") == STATUS.SERVING

        async def is_ready() -> bool:
            return bool(await health(service) == STATUS.SERVING)

        await until(is_ready)


async def test_health_answers_while_every_call_waits_for_a_busy_loop(tmp_path: Path) -> None:
    async with started(tmp_path) as service:
        await service.line_with("listening")
        async with open_channel(f"127.0.0.1:{service.port}") as channel:
            busy = [
                asyncio.ensure_future(say(channel)(Timestamp(seconds=6, nanos=500_000_000)))
                for _ in range(4)
            ]
            begin = asyncio.get_running_loop().time()
            for _ in range(10):
                assert await health(service, timeout_s=1) == STATUS.SERVING
            assert asyncio.get_running_loop().time() - begin < 1
            assert not all(one.done() for one in busy)
            await asyncio.gather(*busy)


async def test_sigterm_is_told_before_calls_are_refused(tmp_path: Path) -> None:
    async with started(tmp_path, NOTICE_MS=1_000) as service:
        await service.line_with("listening")
        async with open_channel(f"127.0.0.1:{service.port}") as channel:
            service.process.send_signal(signal.SIGTERM)
            await service.line_with("draining")
            assert await health(service) == STATUS.NOT_SERVING
            assert await health(service, "") == STATUS.SERVING, "it still lives"
            answer = await call("echo", say(channel), Timestamp(seconds=8), timeout_s=5)
            assert answer.seconds == 8
        assert await service.ended() == (0, "")


async def test_sigterm_finishes_what_is_under_way_and_refuses_what_is_new(tmp_path: Path) -> None:
    async with started(tmp_path) as service:
        await service.line_with("listening")
        async with open_channel(f"127.0.0.1:{service.port}") as channel:
            under_way = asyncio.ensure_future(say(channel)(Timestamp(seconds=7), timeout=30))
            await service.line_with("entered")
            service.process.send_signal(signal.SIGTERM)
            await service.line_with("draining")
            with pytest.raises(PartUnavailable):
                await call_until_refused(f"127.0.0.1:{service.port}")
            assert service.process.stdin is not None
            service.process.stdin.write(b"go on\n")
            assert (await under_way).seconds == 7
        assert await service.ended() == (0, "")


async def call_until_refused(target: str) -> None:
    """Call over connections of their own: the port closes a moment after the process says so.

    A connection that is taken in that moment may get neither an answer nor a refusal.
    """
    while True:
        async with open_channel(target) as late:
            with contextlib.suppress(DeadlineSpent):
                await call("echo", say(late), Timestamp(seconds=8), timeout_s=5)


@pytest.mark.parametrize("kind", ["RANKING", "RANKING_HEALTH", "RANKING_METRICS"])
@pytest.mark.parametrize("workers", [1, 2])
async def test_a_taken_port_is_one_line_and_exit_code_1(
    tmp_path: Path, kind: str, workers: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with started(tmp_path, WORKERS=workers, **{f"{kind}_PORT": port}) as service:
            code, errors = await service.ended()
    assert code == 1
    [line] = errors.splitlines()
    assert line.startswith("echo: ")
    assert str(port) in line


async def test_a_second_service_on_the_port_of_workers_is_refused(tmp_path: Path) -> None:
    async with started(tmp_path, WORKERS=2) as first:
        await first.line_with("listening")
        for workers in (1, 2):
            async with started(tmp_path, WORKERS=workers, RANKING_PORT=first.port) as second:
                code, errors = await second.ended()
            assert code == 1
            assert str(first.port) in errors


async def test_one_worker_is_no_process_more(tmp_path: Path) -> None:
    async with started(tmp_path) as service:
        await service.line_with("listening")
        assert service.workers() == []
        assert await pids(service, 1) == {service.process.pid}


async def test_workers_share_port_and_metrics(tmp_path: Path) -> None:
    async with started(tmp_path, WORKERS=2) as service:
        await service.line_with("listening")
        await service.line_with("listening")
        asked = 0

        async def both_answer() -> bool:
            nonlocal asked
            asked += 10
            return await pids(service, 10) == {worker.pid for worker in service.workers()}

        await until(both_answer)
        assert len(service.workers()) == 2
        assert service.counted() == asked
        service.process.send_signal(signal.SIGTERM)
        assert await service.ended() == (0, "")
    assert list((tmp_path / "run").iterdir()) == [], "the counts of the workers go with them"


async def test_one_client_with_several_connections_reaches_every_worker(tmp_path: Path) -> None:
    async with started(tmp_path, WORKERS=2) as service:
        await service.line_with("listening")
        await service.line_with("listening")
        where = f"127.0.0.1:{service.port}"
        async with open_channel(where, connections=32) as channel:
            method = say(channel)
            asked = [call("echo", method, Timestamp(seconds=9), timeout_s=5) for _ in range(32)]
            found = {answer.seconds for answer in await asyncio.gather(*asked)}
        assert found == {worker.pid for worker in service.workers()}


async def test_five_hundred_idle_connections_cost_little_and_hinder_nobody(tmp_path: Path) -> None:
    async with started(tmp_path) as service:
        await service.line_with("listening")
        process = psutil.Process(service.process.pid)
        assert await pids(service, 1) == {process.pid}
        threads, memory = process.num_threads(), process.memory_info().rss
        async with contextlib.AsyncExitStack() as held:
            for _ in range(500):
                _, writer = await asyncio.open_connection("127.0.0.1", service.port)
                held.callback(writer.close)
                writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" + bytes(5))
                await writer.drain()

            async def all_are_there() -> bool:
                return len(process.net_connections("tcp")) > 500

            await until(all_are_there)
            assert await pids(service, 5) == {process.pid}
            assert process.num_threads() <= threads + 4
            assert process.memory_info().rss < memory + 64 * 2**20


async def test_a_worker_that_is_killed_is_started_again_while_the_other_answers(
    tmp_path: Path,
) -> None:
    async with started(tmp_path, WORKERS=2) as service:
        await service.line_with("listening")
        await service.line_with("listening")
        killed, kept = service.workers()

        async def both_answer() -> bool:
            return await pids(service, 10) == {killed.pid, kept.pid}

        await until(both_answer)
        killed.kill()
        await service.line_with("worker ended")
        assert await health(service) == STATUS.SERVING
        assert await pids(service, 5) == {kept.pid}
        await service.line_with("listening")

        async def two_answer() -> bool:
            return len(await pids(service, 10)) == 2

        await until(two_answer)


async def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    async with started(tmp_path, WORKERS=2) as service:
        await service.line_with("listening")
        await service.line_with("listening")
        workers = service.workers()
        service.process.kill()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, workers, WITHIN_S)
    assert len(gone) == 2
    assert not alive


async def test_what_keeps_workers_from_starting_is_said_once(tmp_path: Path) -> None:
    async with started(tmp_path, WORKERS=3, LOG_LEVEL="error") as service:
        assert await service.ended() == (1, "echo: no data\n")
