"""The feed of the catalogue, from the candidates service."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import grpc.aio

from libs.serving.catalogue_feed import CatalogueChange
from libs.serving.identity import NO_CREDENTIALS, Credentials
from libs.serving.status import fault_of
from libs.serving.title_codec import titles
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc

_PART: Final = "candidates"


class CatalogueClient:
    """A CatalogueSource over one channel to the candidates service."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._stub = candidates_pb2_grpc.CandidatesServiceStub(channel)

    async def watch(self, tenant: str, after_sequence: int) -> AsyncIterator[CatalogueChange]:
        """The catalogue's snapshot and changes; raises a Fault when the stream breaks."""
        request = candidates_pb2.WatchTitlesRequest(after_sequence=after_sequence)
        metadata = self._credentials.metadata(tenant)
        try:
            async for part in self._stub.WatchTitles(
                request, wait_for_ready=True, metadata=metadata
            ):
                # A thousand titles take 20 ms to decode, which nobody's request should wait for.
                decoded = await asyncio.to_thread(titles, part.titles, "titles")
                yield CatalogueChange(
                    titles=tuple(decoded),
                    deleted_ids=tuple(part.deleted_title_ids),
                    sequence=part.sequence,
                    is_snapshot=part.is_snapshot,
                )
        except grpc.aio.AioRpcError as error:
            raise fault_of(_PART, error) from error
