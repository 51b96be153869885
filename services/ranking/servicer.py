"""The servicer: decode the request, call the pipeline, encode the answer."""

from collections.abc import Callable
from typing import Any, Final, Protocol

import grpc.aio
import numpy as np

from libs.faults import InvalidField
from libs.serving.deadlines import deadline_of
from libs.serving.decision_codec import part_messages, purpose
from libs.serving.decoding import (
    page_size,
    request_time_ms,
    timestamp,
    viewing_context,
)
from libs.serving.identity import tenant_of
from libs.telemetry.metrics import ServiceMetrics
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from services.ranking.pipeline import Recommender
from services.ranking.query import DEFAULT_LIMIT, MAX_LIMIT, Query
from services.ranking.recommendation import Recommendation

# Of the time left, for a tenant whose catalogue is only now being fetched.
FIRST_CALL_SHARE: Final = 0.5
FIRST_CALL_MOST_S: Final = 1.0


class TenantRecommender(Protocol):
    """What answers for one tenant."""

    @property
    def recommender(self) -> Recommender:
        """Its pipeline."""
        ...

    async def filled(self, within_s: float) -> None:
        """Wait for its first catalogue, but no longer than that."""
        ...


class RankingServicer(ranking_pb2_grpc.RankingServiceServicer):
    """RankingService over the pipelines of its tenants; `clock` gives Unix ms."""

    def __init__(
        self,
        tenants: Callable[[str], TenantRecommender],
        metrics: ServiceMetrics,
        clock: Callable[[], int],
    ) -> None:
        self._tenants = tenants
        self._metrics = metrics
        self._clock = clock

    async def Recommend(  # noqa: N802 - the name in the contract
        self,
        request: ranking_pb2.RecommendRequest,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> ranking_pb2.RecommendResponse:
        """One slate for a profile in a viewing context."""
        query = decode(request, tenant_of(context), now_ms=self._clock())
        deadline = deadline_of(context)
        tenant = self._tenants(query.tenant)
        await tenant.filled(deadline.share_s(FIRST_CALL_SHARE, most_s=FIRST_CALL_MOST_S))
        recommendation = await tenant.recommender.recommend(query, deadline.remaining_s)
        self._metrics.count_degraded(tuple(part.name for part in recommendation.degraded))
        return encode(recommendation)


def decode(request: ranking_pb2.RecommendRequest, tenant: str, *, now_ms: int) -> Query:
    """The query that a request means; raises InvalidField."""
    as_of_ms = None
    if request.HasField("request_time"):
        as_of_ms = request_time_ms(request.request_time, "request_time", now_ms=now_ms)
    return Query(
        tenant=tenant,
        profile_id=request.profile_id,
        limit=page_size(request.limit, "limit", default=DEFAULT_LIMIT, most=MAX_LIMIT),
        context=viewing_context(request.context, "context"),
        purpose=purpose(request.purpose, "purpose"),
        now_ms=now_ms,
        as_of_ms=as_of_ms,
        seeds=_seeds(request),
        is_diverse=not request.without_diversity,
        is_anonymous=request.is_anonymous,
    )


def _seeds(request: ranking_pb2.RecommendRequest) -> tuple[tuple[str, float], ...]:
    weights = request.seed_weights or [1.0] * len(request.seed_title_ids)
    if len(weights) != len(request.seed_title_ids):
        raise InvalidField("seed_weights", "must be empty or one for each of seed_title_ids")
    return tuple(zip(request.seed_title_ids, weights, strict=True))


def encode(recommendation: Recommendation) -> ranking_pb2.RecommendResponse:
    """The response that says it."""
    response = ranking_pb2.RecommendResponse(
        page_id=recommendation.page_id,
        title_ids=recommendation.title_ids,
        scores=recommendation.scores.tolist(),
        sources=_sources(recommendation),
        model_version=recommendation.model_version,
        index_version=recommendation.index_version,
        degraded=part_messages(recommendation.degraded),
        policy=recommendation.policy,
        is_contextual=recommendation.is_contextual,
    )
    if recommendation.trained_until_ms:
        response.trained_until.CopyFrom(timestamp(recommendation.trained_until_ms))
    return response


def _sources(recommendation: Recommendation) -> list[ranking_pb2.Provenance]:
    """Who proposed each title; titles of the same sources have one message, made once."""
    names = recommendation.source_names
    proposes = recommendation.source_ranks >= 0
    # The sources of a title as the digits of a number: a slate of 500 has a handful of those.
    numbers = (proposes @ (1 << np.arange(len(names)))).tolist()
    made = {
        number: ranking_pb2.Provenance(
            source_names=[name for place, name in enumerate(names) if number >> place & 1]
        )
        for number in set(numbers)
    }
    return [made[number] for number in numbers]
