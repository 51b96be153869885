"""Title counters as of a past time, asked from the events service."""

from typing import Final

import grpc.aio
import numpy as np
from numpy.typing import NDArray

from libs.faults import PartUnavailable
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.title_counters import TITLE_COUNTER_NAMES
from libs.features.title_table import TitleTable
from libs.serving.channels import call
from libs.serving.decoding import time_ms, timestamp
from libs.serving.identity import NO_CREDENTIALS, Credentials
from reprise.events.v1 import events_pb2, events_pb2_grpc

_PART: Final = "title features"


class TitleFeaturesClient:
    """The events service as a source of title counters."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._stub = events_pb2_grpc.EventsServiceStub(channel)

    async def title_table(
        self, tenant: str, *, as_of_ms: int | None, country: str, timeout_s: float
    ) -> TitleTable:
        """All titles' counters as of a time (None: now), those of `country` ("": none) with them.

        Raises PartUnavailable, DeadlineSpent or Overloaded.
        """
        request = events_pb2.GetTitleFeaturesRequest(
            as_of=None if as_of_ms is None else timestamp(as_of_ms), country=country
        )
        answer = await call(
            _PART,
            self._stub.GetTitleFeatures,
            request,
            timeout_s=timeout_s,
            metadata=self._credentials.metadata(tenant),
        )
        return title_table(answer, country)


def title_table(message: events_pb2.GetTitleFeaturesResponse, country: str) -> TitleTable:
    """The table of an answer; raises PartUnavailable if it was computed by other definitions."""
    if (
        message.feature_schema_version != FEATURE_SCHEMA_VERSION
        or tuple(message.counter_names) != TITLE_COUNTER_NAMES
    ):
        raise PartUnavailable(
            _PART, f"the events service has feature schema {message.feature_schema_version}"
        )
    title_ids = tuple(message.title_ids)
    return TitleTable(
        as_of_ms=time_ms(message.freshness.as_of, "freshness.as_of"),
        title_ids=title_ids,
        counters=_matrix(message.counters, len(title_ids)),
        country_counters=(
            {country: _matrix(message.country_counters, len(title_ids))} if country else {}
        ),
    )


def _matrix(packed: bytes, row_count: int) -> NDArray[np.float32]:
    shape = (row_count, len(TITLE_COUNTER_NAMES))
    if len(packed) != 4 * row_count * len(TITLE_COUNTER_NAMES):
        raise PartUnavailable(_PART, f"{len(packed)} bytes are no float32 {shape}")
    return np.frombuffer(packed, "<f4").reshape(shape)  # (n, k)
