"""What ranking holds about profiles: the decisions that wait to be logged, and nothing else.

Workers of one port have a queue each, and a call reaches one of them. What another still holds
goes to events within a second, which refuses all that is of an erased profile.
"""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio
from google.protobuf.json_format import MessageToDict

from libs.domain.identifiers import check_id
from libs.serving.decision_codec import decision_message
from libs.serving.identity import tenant_of
from reprise.privacy.v1 import privacy_pb2, privacy_pb2_grpc
from services.ranking.decision_log import QueuedDecisionLog

NAME: Final = privacy_pb2.DESCRIPTOR.services_by_name["PersonalDataService"].full_name

Context = grpc.aio.ServicerContext[Any, Any]


class PersonalDataServicer(privacy_pb2_grpc.PersonalDataServiceServicer):
    """PersonalDataService over the queue of decisions."""

    def __init__(self, decisions: QueuedDecisionLog) -> None:
        self._decisions = decisions

    async def EraseProfileData(  # noqa: N802 - the names are the contract's
        self, request: privacy_pb2.EraseProfileDataRequest, context: Context
    ) -> privacy_pb2.EraseProfileDataResponse:
        """Drop what waits."""
        profile_id = check_id("profile_id", request.profile_id)
        count = await self._decisions.forget(tenant_of(context), profile_id)
        return privacy_pb2.EraseProfileDataResponse(erased_count=count)

    async def ExportProfileData(  # noqa: N802
        self, request: privacy_pb2.ExportProfileDataRequest, context: Context
    ) -> AsyncIterator[privacy_pb2.ExportProfileDataResponse]:
        """What waits, a line each."""
        profile_id = check_id("profile_id", request.profile_id)
        for decision in self._decisions.waiting_of(tenant_of(context), profile_id):
            data = MessageToDict(decision_message(decision), preserving_proto_field_name=True)
            line = json.dumps({"kind": "waiting_decision", "data": data})
            yield privacy_pb2.ExportProfileDataResponse(json_lines=f"{line}\n")
