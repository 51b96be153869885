import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

PROBE = Path(__file__).parents[2] / "docker" / "probe.py"


@pytest.fixture
def target() -> Iterator[str]:
    """A health port where the process and `up` are serving, and `down` is not."""
    status = health_pb2.HealthCheckResponse.ServingStatus
    servicer = health.HealthServicer()
    servicer.set("up", status.SERVING)
    servicer.set("down", status.NOT_SERVING)
    server = grpc.server(ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def probe(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(PROBE), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("service", "code"), [("up", 0), ("down", 1), ("unknown", 1)])
def test_the_exit_code_says_whether_a_service_is_serving(
    target: str, service: str, code: int
) -> None:
    assert probe(target, service).returncode == code


def test_without_a_service_the_process_is_meant(target: str) -> None:
    assert probe(target).returncode == 0


def test_a_port_where_nobody_listens_is_one_line_and_not_serving() -> None:
    answer = probe("127.0.0.1:1")

    assert answer.returncode == 1
    assert answer.stderr == "127.0.0.1:1: UNAVAILABLE\n"
