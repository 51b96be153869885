"""Another service as events drives it: erase and export what it holds of a profile."""

from collections.abc import AsyncIterator

import grpc.aio

from libs.serving.channels import call
from libs.serving.identity import NO_CREDENTIALS, Credentials
from libs.serving.status import fault_of
from reprise.privacy.v1 import privacy_pb2, privacy_pb2_grpc

EXPORT_S = 30.0


class PersonalDataClient:
    """One channel to a service that offers PersonalDataService."""

    def __init__(
        self, name: str, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._name = name
        self._credentials = credentials
        self._stub = privacy_pb2_grpc.PersonalDataServiceStub(channel)

    @property
    def name(self) -> str:
        """The name of the service."""
        return self._name

    async def erase(self, tenant: str, profile_id: str, *, timeout_s: float) -> int:
        """Delete all that it holds; how many things that were. Raises a Fault."""
        answer = await call(
            self._name,
            self._stub.EraseProfileData,
            privacy_pb2.EraseProfileDataRequest(profile_id=profile_id),
            timeout_s=timeout_s,
            metadata=self._credentials.metadata(tenant),
        )
        return answer.erased_count

    async def export(self, tenant: str, profile_id: str) -> AsyncIterator[str]:
        """All that it holds, as JSON lines; raises a Fault."""
        answers = self._stub.ExportProfileData(
            privacy_pb2.ExportProfileDataRequest(profile_id=profile_id),
            timeout=EXPORT_S,
            wait_for_ready=False,
            metadata=self._credentials.metadata(tenant),
        )
        try:
            async for answer in answers:
                yield answer.json_lines
        except grpc.aio.AioRpcError as error:
            raise fault_of(self._name, error) from error
