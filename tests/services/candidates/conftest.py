"""A candidates service that is served, and before it is."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest

from tests.services.candidates.made_service import CATALOGUE, Suite, write_bundle


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    made = Suite(tmp_path / "bundles")
    made.store.upsert("default", CATALOGUE)
    return made


@pytest.fixture
async def channel(suite: Suite) -> AsyncIterator[grpc.aio.Channel]:
    write_bundle(suite.bundles)
    async with suite.served() as opened:
        await suite.ready()
        yield opened
