"""The ranking service as recap uses it: one slate, with the evidence of a session."""

from dataclasses import dataclass
from typing import Final

import grpc.aio
import numpy as np
from numpy.typing import NDArray

from libs.domain.decision import Part, Purpose
from libs.domain.viewing import UNKNOWN_CONTEXT, Surface, ViewingContext
from libs.faults import InvalidField, PartUnavailable
from libs.serving.channels import call
from libs.serving.decoding import enum_value, viewing_context_message
from libs.serving.identity import NO_CREDENTIALS, Credentials
from reprise.common.v1 import purpose_pb2
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc

_PART: Final = "ranking"


@dataclass(frozen=True, slots=True)
class SlateQuery:
    """Whom a slate is for and why; the titles come best first."""

    purpose: Purpose
    limit: int
    profile_id: str = ""  # empty is somebody anonymous: the context and the seeds are all there is
    context: ViewingContext = UNKNOWN_CONTEXT
    seeds: tuple[tuple[str, float], ...] = ()  # title ids and weights: see RecommendRequest
    is_diverse: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What ranking answered; `page_id` is empty for what is not logged."""

    page_id: str
    title_ids: tuple[str, ...]  # (n,)
    scores: NDArray[np.float32]  # (n,)
    model_version: str
    degraded: tuple[Part, ...]


class RankingClient:
    """One channel to the ranking service."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._stub = ranking_pb2_grpc.RankingServiceStub(channel)

    async def recommend(self, tenant: str, query: SlateQuery, *, timeout_s: float) -> Page:
        """One slate; raises PartUnavailable, Overloaded or DeadlineSpent."""
        request = ranking_pb2.RecommendRequest(
            profile_id=query.profile_id,
            is_anonymous=not query.profile_id,
            limit=query.limit,
            context=viewing_context_message(query.context),
            purpose=purpose_pb2.Purpose.ValueType(query.purpose),
            seed_title_ids=[title_id for title_id, _ in query.seeds],
            seed_weights=[weight for _, weight in query.seeds],
            without_diversity=not query.is_diverse,
        )
        try:
            answer = await call(
                _PART,
                self._stub.Recommend,
                request,
                timeout_s=timeout_s,
                metadata=self._credentials.metadata(tenant),
            )
            degraded = tuple(enum_value(Part, number, "degraded") for number in answer.degraded)
        except InvalidField as fault:
            # The question and the answer are between two of us: no fault of recap's caller.
            raise PartUnavailable(_PART, str(fault)) from fault
        return Page(
            page_id=answer.page_id,
            title_ids=tuple(answer.title_ids),
            scores=np.array(answer.scores, np.float32),
            model_version=answer.model_version,
            degraded=degraded,
        )

    async def next_titles(
        self,
        tenant: str,
        profile_id: str,
        seed_title_ids: tuple[str, ...],
        *,
        limit: int,
        timeout_s: float,
    ) -> tuple[tuple[str, ...], str]:
        """What to go on with after these titles, best first, and its page; see `recommend`."""
        query = SlateQuery(
            Purpose.LIVE,
            limit,
            profile_id,
            ViewingContext(surface=Surface.DETAIL),
            seeds=tuple((title_id, 1.0) for title_id in seed_title_ids),
        )
        page = await self.recommend(tenant, query, timeout_s=timeout_s)
        return page.title_ids, page.page_id
