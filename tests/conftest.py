"""Servers that tests share, started once a session when the first test asks for them."""

from collections.abc import Iterator

import pytest
import redis
from hypothesis import settings

from tests.made_databases import PostgresDatabases
from tests.made_servers import FAST, RedisServer, running_postgres, running_redis

# How long an example takes is for benchmarks to say: other jobs may be beside.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """A server that hands out empty databases."""
    with running_postgres(*FAST) as server:
        databases = PostgresDatabases(server)
        yield databases
        databases.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """An empty Redis."""
    with redis.Redis.from_url(redis_server.url()) as client:
        client.flushall()
    return redis_server.url()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--server-kills", type=int, default=6, help="processes killed during ingest")
    parser.addoption("--events", type=int, default=3_000, help="events that two writers shuffle")
