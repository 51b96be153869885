"""The ranking service as recaps use it: what to watch next from here."""

from typing import Final

import grpc.aio

from libs.serving.channels import call
from libs.serving.identity import NO_CREDENTIALS, Credentials
from reprise.common.v1 import purpose_pb2, viewing_pb2
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc

_PART: Final = "ranking"


class NextTitlesClient:
    """One channel to the ranking service."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._stub = ranking_pb2_grpc.RankingServiceStub(channel)

    async def next_titles(
        self,
        tenant: str,
        profile_id: str,
        seed_title_ids: tuple[str, ...],
        *,
        limit: int,
        timeout_s: float,
    ) -> tuple[tuple[str, ...], str]:
        """Title ids, best first, and the page that they are on; raises a Fault."""
        answer = await call(
            _PART,
            self._stub.Recommend,
            ranking_pb2.RecommendRequest(
                profile_id=profile_id,
                limit=limit,
                seed_title_ids=seed_title_ids,
                purpose=purpose_pb2.PURPOSE_LIVE,
                context=viewing_pb2.ViewingContext(surface=viewing_pb2.SURFACE_DETAIL),
            ),
            timeout_s=timeout_s,
            metadata=self._credentials.metadata(tenant),
        )
        return tuple(answer.title_ids), answer.page_id
