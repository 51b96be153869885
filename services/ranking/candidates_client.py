"""The candidates service as ranking uses it: retrieval."""

import grpc.aio

from libs.domain.decision import Part
from libs.faults import InvalidField, PartUnavailable
from libs.models.retrieval import Retrieved
from libs.serving.channels import call
from libs.serving.decoding import enum_value, timestamp, viewing_context_message
from libs.serving.identity import NO_CREDENTIALS, Credentials
from libs.serving.packed import pack_float32, pack_int32, unpack_float32, unpack_int32
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.common.v1 import purpose_pb2
from services.ranking.ports import CandidateQuery

_PART = "candidates"


class CandidatesClient:
    """One channel to the candidates service."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._stub = candidates_pb2_grpc.CandidatesServiceStub(channel)

    async def retrieve(
        self, query: CandidateQuery, *, timeout_s: float
    ) -> tuple[Retrieved, tuple[Part, ...]]:
        """Candidates, and what retrieval went without; raises a Fault, also BundleNotLoaded."""
        request = candidates_pb2.RetrieveCandidatesRequest(
            bundle_version=query.bundle_version,
            limit=query.limit,
            history_rows=pack_int32(query.history_rows),
            history_weights=pack_float32(query.history_weights),
            excluded_rows=pack_int32(query.excluded_rows),
            context=viewing_context_message(query.context),
            request_time=None if query.as_of_ms is None else timestamp(query.as_of_ms),
            kids=query.kids,
            maturity_limit_years=query.maturity_limit_years,
            purpose=purpose_pb2.Purpose.ValueType(query.purpose),
        )
        try:
            answer = await call(
                _PART,
                self._stub.RetrieveCandidates,
                request,
                timeout_s=timeout_s,
                metadata=self._credentials.metadata(query.tenant),
            )
            missing = tuple(enum_value(Part, number, "degraded") for number in answer.degraded)
            return _retrieved(answer, query.bundle_version), missing
        except InvalidField as fault:
            # The question and the answer are between two of us: no fault of ranking's caller.
            raise PartUnavailable(_PART, str(fault)) from fault


def _retrieved(answer: candidates_pb2.RetrieveCandidatesResponse, bundle_version: str) -> Retrieved:
    if answer.bundle_version != bundle_version:
        raise PartUnavailable(_PART, f"answered of bundle {answer.bundle_version!r}")
    names = tuple(answer.source_names)
    rows = unpack_int32(answer.rows, "rows")
    shape = (len(rows), len(names))
    return Retrieved(
        rows=rows,
        source_names=names,
        source_ranks=unpack_int32(answer.source_ranks, "source_ranks").reshape(shape),
        source_scores=unpack_float32(answer.source_scores, "source_scores").reshape(shape),
    )
