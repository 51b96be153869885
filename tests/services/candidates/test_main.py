"""The service as a real process."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.serving.channels import open_channel
from libs.storage.catalogue_store import SqliteCatalogueStore
from services.candidates.settings import CandidatesSettings
from tests.free_ports import free_port

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.end_to_end


@asynccontextmanager
async def started(
    home: Path, port: int, health_port: int = 0
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.candidates",
        cwd=ROOT,
        env={
            **os.environ,
            "REPRISE_HOME": str(home),
            "REPRISE_PORT_BASE": "0",
            "REPRISE_CANDIDATES_PORT": str(port),
            "REPRISE_CANDIDATES_HEALTH_PORT": str(health_port),
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def failure(process: asyncio.subprocess.Process) -> str:
    """The one line that a process ends with that cannot start."""
    _, errors = await process.communicate()
    assert process.returncode == 1
    [line] = errors.decode().splitlines()
    return line


async def test_answers_within_three_seconds_and_drains_on_sigterm(tmp_path: Path) -> None:
    port = free_port()
    begin = time.monotonic()
    async with (
        started(tmp_path, 0, port) as process,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        request = health_pb2.HealthCheckRequest()
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(request, wait_for_ready=True, timeout=30)
        seconds = time.monotonic() - begin
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert seconds < 3
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


async def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with started(tmp_path, port) as process:
            line = await failure(process)
    assert line.startswith("candidates: ")
    assert str(port) in line


async def test_a_second_writer_on_the_same_catalogue_is_one_line(tmp_path: Path) -> None:
    path = CandidatesSettings(home=tmp_path).catalogue_path
    store = SqliteCatalogueStore(path)
    async with started(tmp_path, free_port()) as process:
        line = await failure(process)
    store.close()
    assert line.startswith("candidates: ")
    assert str(path) in line


async def test_a_bad_setting_is_one_line(tmp_path: Path) -> None:
    async with started(tmp_path, 70_000) as process:
        line = await failure(process)
    assert "REPRISE_CANDIDATES_PORT" in line


async def test_imports_nothing_that_only_training_needs() -> None:
    code = (
        "import sys, services.candidates.__main__\n"
        "sys.exit(','.join({'torch', 'implicit', 'scipy', 'lightgbm', 'sentence_transformers'}"
        " & set(sys.modules)) or 0)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert errors == b"", "sys.exit writes what was found"
