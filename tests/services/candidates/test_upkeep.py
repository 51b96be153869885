"""Bundles that come, and what is served meanwhile."""

import grpc.aio
import pytest
import structlog

from libs.faults import PartUnavailable
from libs.models.retrieval_model import RETRIEVAL_PART
from libs.serving.decoding import timestamp
from reprise.candidates.v1 import candidates_pb2
from services.candidates.servicer import NAME
from tests.services.candidates.made_service import (
    CATALOGUE,
    NOW_MS,
    TITLE_COUNT,
    Stub,
    Suite,
    retrieve,
    until,
    versions,
    write_bundle,
)


class TestBundles:
    async def test_is_ready_when_an_index_is_loaded_and_not_before(self, suite: Suite) -> None:
        async with suite.served() as channel:
            assert not suite.readiness.is_ready(NAME)
            with pytest.raises(PartUnavailable, match="index"):
                await retrieve(channel, bundle_version="v1")
            version = write_bundle(suite.bundles)
            await suite.ready()
            assert await versions(channel) == [version]

    async def test_a_new_bundle_is_served_beside_the_one_before(
        self, suite: Suite, channel: grpc.aio.Channel
    ) -> None:
        [old] = await versions(channel)
        new = write_bundle(suite.bundles, seed=1, now_ms=NOW_MS + 1)
        await until(lambda: versions(channel), [new, old])
        for version in (old, new):
            assert (await retrieve(channel, bundle_version=version)).version == version

    async def test_one_flipped_bit_is_refused_and_the_old_one_keeps_serving(
        self, suite: Suite, channel: grpc.aio.Channel
    ) -> None:
        [old] = await versions(channel)
        staged = suite.bundles.parent / "staged" / "default"
        new = write_bundle(staged.parent, seed=1, now_ms=NOW_MS + 1)
        damaged = staged / new / RETRIEVAL_PART / "vectors.faiss"
        data = bytearray(damaged.read_bytes())
        data[len(data) // 2] ^= 1
        damaged.write_bytes(data)

        async def refused() -> list[str]:
            await versions(channel)
            return [line["version"] for line in lines if line["event"] == "bundle refused"]

        with structlog.testing.capture_logs() as lines:
            (staged / new).rename(suite.bundles / "default" / new)
            (staged / "CURRENT").rename(suite.bundles / "default" / "CURRENT")
            await until(refused, [new])
        assert await versions(channel) == [old]
        assert (await retrieve(channel)).version == old
        assert suite.readiness.is_ready(NAME)

    async def test_the_status_names_index_and_catalogue(self, channel: grpc.aio.Channel) -> None:
        status = await Stub(channel).GetIndexStatus(candidates_pb2.GetIndexStatusRequest())
        assert status.title_count == TITLE_COUNT
        assert status.trained_until == timestamp(NOW_MS - 1000)
        assert status.catalogue_title_count == len(CATALOGUE)
