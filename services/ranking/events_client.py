"""The events service as ranking uses it: decisions out, and whether it is there at all."""

import asyncio
from collections.abc import Callable

import grpc
import grpc.aio

from libs.domain.decision import Decision
from libs.domain.rejection import Rejection, RejectionReason
from libs.serving.channels import call
from libs.serving.decision_codec import decision_message
from libs.serving.identity import NO_CREDENTIALS, Credentials
from reprise.events.v1 import events_pb2, events_pb2_grpc

WRITE_S = 2.0


class EventsClient:
    """One channel to the events service."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._channel = channel
        self._stub = events_pb2_grpc.EventsServiceStub(channel)

    async def record_decisions(
        self, tenant: str, decisions: list[Decision]
    ) -> tuple[Rejection, ...]:
        """Store a batch but for what is rejected; raises a Fault when that did not happen."""
        request = events_pb2.RecordDecisionsRequest(
            decisions=[decision_message(decision) for decision in decisions]
        )
        answer = await call(
            "events",
            self._stub.RecordDecisions,
            request,
            timeout_s=WRITE_S,
            metadata=self._credentials.metadata(tenant),
        )
        return tuple(
            Rejection(one.index, RejectionReason(one.reason), one.field, one.problem)
            for one in answer.rejections
        )

    async def watch_connection(self, note: Callable[[bool], None]) -> None:
        """Keep the connection open and `note` every time it is lost or found, for ever."""
        while True:
            state = self._channel.get_state(try_to_connect=True)
            note(state is grpc.ChannelConnectivity.READY)
            await self._channel.wait_for_state_change(state)
            await asyncio.sleep(0)
