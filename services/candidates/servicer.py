"""The servicer: decode the request, call the core, encode the answer."""

import asyncio
import base64
import binascii
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, TypeAlias

import grpc.aio

from libs.domain.decision import Purpose
from libs.domain.identifiers import check_id
from libs.domain.title import Title
from libs.faults import InvalidField
from libs.serving.deadlines import deadline_of
from libs.serving.decision_codec import part_messages
from libs.serving.decoding import (
    enum_value,
    page_size,
    request_time_ms,
    timestamp,
    viewing_context,
)
from libs.serving.identity import tenant_of
from libs.serving.packed import pack_float32, pack_int32, unpack_float32, unpack_int32
from libs.serving.tenancy import Tenants
from libs.serving.title_codec import title_message, titles
from libs.telemetry.metrics import ServiceMetrics
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from services.candidates.catalogue import Catalogue, Update
from services.candidates.pipeline import Answer
from services.candidates.query import DEFAULT_LIMIT, MAX_LIMIT, CandidateQuery
from services.candidates.similar import similar_titles
from services.candidates.tenant_index import TenantIndex

NAME: Final = candidates_pb2.DESCRIPTOR.services_by_name["CandidatesService"].full_name

_MAX_BATCH: Final = 1_000

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class CandidatesServicer(candidates_pb2_grpc.CandidatesServiceServicer):
    """CandidatesService over the catalogue and the indexes of its tenants."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        tenants: Tenants[TenantIndex],
        metrics: ServiceMetrics,
        clock: Callable[[], int],
    ) -> None:
        self._catalogue = catalogue
        self._tenants = tenants
        self._metrics = metrics
        self._clock = clock

    async def RetrieveCandidates(  # noqa: N802 - the names are the contract's
        self, request: candidates_pb2.RetrieveCandidatesRequest, context: Context
    ) -> candidates_pb2.RetrieveCandidatesResponse:
        """Titles from several sources, merged, with their provenance."""
        query = decode_query(request, tenant_of(context), now_ms=self._clock())
        retrieval = self._tenants.of(query.tenant).retrieval
        answer = await retrieval.candidates(query, deadline_of(context))
        self._metrics.count_degraded(tuple(part.name for part in answer.degraded))
        return encode_answer(answer)

    async def FindSimilarTitles(  # noqa: N802
        self, request: candidates_pb2.FindSimilarTitlesRequest, context: Context
    ) -> candidates_pb2.FindSimilarTitlesResponse:
        """The nearest titles to one title."""
        title_id = check_id("title_id", request.title_id)
        limit = page_size(request.limit, "limit", default=20, most=500)
        index = self._tenants.of(tenant_of(context)).indexes.newest
        title_ids, similarities = similar_titles(index, title_id, limit)
        return candidates_pb2.FindSimilarTitlesResponse(
            title_ids=title_ids,
            similarities=similarities.tolist(),
            bundle_version=index.model.version,
        )

    async def UpsertTitles(  # noqa: N802
        self, request: candidates_pb2.UpsertTitlesRequest, context: Context
    ) -> candidates_pb2.UpsertTitlesResponse:
        """Create or replace whole titles."""
        _check_batch("titles", request.titles)
        decoded = await asyncio.to_thread(titles, request.titles, "titles")
        count, sequence = await self._catalogue.upsert(tenant_of(context), decoded)
        return candidates_pb2.UpsertTitlesResponse(upserted_count=count, sequence=sequence)

    async def DeleteTitles(  # noqa: N802
        self, request: candidates_pb2.DeleteTitlesRequest, context: Context
    ) -> candidates_pb2.DeleteTitlesResponse:
        """Remove titles."""
        count, sequence = await self._catalogue.delete(tenant_of(context), _ids(request.title_ids))
        return candidates_pb2.DeleteTitlesResponse(deleted_count=count, sequence=sequence)

    async def GetTitles(  # noqa: N802
        self, request: candidates_pb2.GetTitlesRequest, context: Context
    ) -> candidates_pb2.GetTitlesResponse:
        """The titles that exist among those asked for."""
        found = await self._catalogue.get(tenant_of(context), _ids(request.title_ids))
        return candidates_pb2.GetTitlesResponse(titles=await asyncio.to_thread(_messages, found))

    async def ListTitles(  # noqa: N802
        self, request: candidates_pb2.ListTitlesRequest, context: Context
    ) -> candidates_pb2.ListTitlesResponse:
        """One page of the catalogue."""
        size = page_size(request.page_size, "page_size", default=100, most=_MAX_BATCH)
        after_id = _decode_token(request.page_token)
        found = await self._catalogue.list_after(tenant_of(context), after_id, size + 1)
        return candidates_pb2.ListTitlesResponse(
            titles=await asyncio.to_thread(_messages, found[:size]),
            next_page_token=_encode_token(found[size - 1].title_id) if len(found) > size else "",
        )

    async def WatchTitles(  # noqa: N802
        self, request: candidates_pb2.WatchTitlesRequest, context: Context
    ) -> AsyncIterator[candidates_pb2.WatchTitlesResponse]:
        """The catalogue and then its changes, until the client or the server goes."""
        if request.after_sequence < 0:
            raise InvalidField("after_sequence", "must not be negative")
        tenant = tenant_of(context)
        # Who follows a catalogue is about to ask for candidates of it.
        self._tenants.of(tenant)
        updates = self._catalogue.watch(tenant, request.after_sequence)
        async with contextlib.aclosing(updates):
            async for update in updates:
                yield await asyncio.to_thread(encode_update, update)

    async def GetIndexStatus(  # noqa: N802
        self, request: candidates_pb2.GetIndexStatusRequest, context: Context
    ) -> candidates_pb2.GetIndexStatusResponse:
        """Which bundles are loaded."""
        tenant = tenant_of(context)
        loaded = [index.model for index in self._tenants.of(tenant).indexes.loaded]
        return candidates_pb2.GetIndexStatusResponse(
            bundle_versions=[model.version for model in loaded],
            title_count=loaded[0].title_count if loaded else 0,
            trained_until=timestamp(loaded[0].trained_until_ms) if loaded else None,
            catalogue_title_count=await self._catalogue.count(tenant),
        )


def decode_query(
    request: candidates_pb2.RetrieveCandidatesRequest, tenant: str, *, now_ms: int
) -> CandidateQuery:
    """The query that a request means; raises InvalidField."""
    context = viewing_context(request.context, "context")
    enum_value(Purpose, request.purpose or Purpose.LIVE, "purpose")
    as_of_ms = None
    if request.HasField("request_time"):
        as_of_ms = request_time_ms(request.request_time, "request_time", now_ms=now_ms)
    limited = request.HasField("maturity_limit_years")
    return CandidateQuery(
        tenant=tenant,
        bundle_version=request.bundle_version,
        limit=page_size(request.limit, "limit", default=DEFAULT_LIMIT, most=MAX_LIMIT),
        history_rows=unpack_int32(request.history_rows, "history_rows"),
        history_weights=unpack_float32(request.history_weights, "history_weights"),
        excluded_rows=unpack_int32(request.excluded_rows, "excluded_rows"),
        country=context.country,
        kids=request.kids or context.kids,
        maturity_limit_years=request.maturity_limit_years if limited else None,
        now_ms=now_ms,
        as_of_ms=as_of_ms,
    )


def encode_answer(answer: Answer) -> candidates_pb2.RetrieveCandidatesResponse:
    """The response that says it."""
    found = answer.retrieved
    return candidates_pb2.RetrieveCandidatesResponse(
        bundle_version=answer.bundle_version,
        rows=pack_int32(found.rows),
        source_names=found.source_names,
        source_ranks=pack_int32(found.source_ranks),
        source_scores=pack_float32(found.source_scores),
        degraded=part_messages(answer.degraded),
    )


def encode_update(update: Update) -> candidates_pb2.WatchTitlesResponse:
    """The response that says it."""
    return candidates_pb2.WatchTitlesResponse(
        titles=_messages(update.titles),
        deleted_title_ids=update.deleted_ids,
        sequence=update.sequence,
        is_snapshot=update.is_snapshot,
    )


def _messages(values: Sequence[Title]) -> list[candidates_pb2.Title]:
    # Some 12 ms for a batch of 1,000, as the way back takes 24: not for the event loop.
    return [title_message(value) for value in values]


def _check_batch(field: str, values: Sequence[object]) -> None:
    if not 1 <= len(values) <= _MAX_BATCH:
        raise InvalidField(field, f"must be 1 to {_MAX_BATCH}, are {len(values)}")


def _ids(values: Sequence[str]) -> list[str]:
    _check_batch("title_ids", values)
    return [check_id(f"title_ids[{place}]", value) for place, value in enumerate(values)]


def _encode_token(title_id: str) -> str:
    return base64.urlsafe_b64encode(title_id.encode()).decode()


def _decode_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars="-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidField("page_token", "is none that was given out") from None
