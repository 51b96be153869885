"""PersonalDataService over the tables of recap."""

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio

from libs.domain.identifiers import check_id
from libs.serving.identity import tenant_of
from libs.serving.waiting import on_thread
from libs.storage.recap.personal_tables import PersonalTables
from reprise.privacy.v1 import privacy_pb2, privacy_pb2_grpc

NAME: Final = privacy_pb2.DESCRIPTOR.services_by_name["PersonalDataService"].full_name

Context = grpc.aio.ServicerContext[Any, Any]


class PersonalDataServicer(privacy_pb2_grpc.PersonalDataServiceServicer):
    """What recap holds of a profile, deleted or told."""

    def __init__(self, tables: PersonalTables) -> None:
        self._tables = tables

    async def EraseProfileData(  # noqa: N802 - the names are the contract's
        self, request: privacy_pb2.EraseProfileDataRequest, context: Context
    ) -> privacy_pb2.EraseProfileDataResponse:
        """Delete all rows of the profile, and refuse new ones from then on."""
        profile_id = check_id("profile_id", request.profile_id)
        count = await on_thread(self._tables.erase, tenant_of(context), profile_id)
        return privacy_pb2.EraseProfileDataResponse(erased_count=count)

    async def ExportProfileData(  # noqa: N802
        self, request: privacy_pb2.ExportProfileDataRequest, context: Context
    ) -> AsyncIterator[privacy_pb2.ExportProfileDataResponse]:
        """All rows, a line each."""
        profile_id = check_id("profile_id", request.profile_id)
        lines = self._tables.export(tenant_of(context), profile_id)
        while (line := await on_thread(next, lines, None)) is not None:
            yield privacy_pb2.ExportProfileDataResponse(json_lines=f"{line}\n")
