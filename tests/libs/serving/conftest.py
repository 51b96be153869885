"""The small service, served."""

from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest

from libs.serving.channels import open_channel
from libs.serving.limits import Limits
from libs.serving.server import Running
from tests.libs.serving.made_echo import Echo, served


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(echo: Echo) -> AsyncIterator[Running]:
    async with served(echo, Limits(default_deadline_ms=50)) as started:
        yield started


@pytest.fixture
async def channel(server: Running) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(f"127.0.0.1:{server.port}") as opened:
        yield opened
