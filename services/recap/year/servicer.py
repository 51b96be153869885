"""RecapService: decode, call, encode."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import grpc.aio

from libs.faults import InvalidField
from libs.serving.deadlines import deadline_of
from libs.serving.identity import tenant_of
from libs.serving.waiting import on_thread
from libs.storage.recap.recap_table import RecapTable
from reprise.recap.v1 import recap_pb2, recap_pb2_grpc
from services.recap.year import codec
from services.recap.year.recaps import Recaps

NAME: Final = recap_pb2.DESCRIPTOR.services_by_name["RecapService"].full_name

Context = grpc.aio.ServicerContext[Any, Any]


class RecapServicer(recap_pb2_grpc.RecapServiceServicer):
    """Recaps told, and taken from the batch; `clock` gives Unix ms."""

    def __init__(self, recaps: Recaps, table: RecapTable, clock: Callable[[], int]) -> None:
        self._recaps = recaps
        self._table = table
        self._clock = clock

    async def GetRecap(  # noqa: N802 - the names are the contract's
        self, request: recap_pb2.GetRecapRequest, context: Context
    ) -> recap_pb2.GetRecapResponse:
        """The cards of a profile and a period."""
        query = codec.query(request, tenant_of(context), now_ms=self._clock())
        answer = await self._recaps.get(query, deadline_of(context).remaining_s)
        return codec.answer_message(answer)

    async def RecordRecaps(  # noqa: N802
        self, request_iterator: AsyncIterator[recap_pb2.RecordRecapsRequest], context: Context
    ) -> AsyncIterator[recap_pb2.RecordRecapsResponse]:
        """Store a run; each message is acknowledged before the next is taken."""
        tenant, index, run_id, is_whole = tenant_of(context), 0, "", False
        async for request in request_iterator:
            if is_whole:
                raise InvalidField("is_last", "must be of the last message of a call")
            if index == 0:
                run = codec.run(request)
                run_id = run.run_id
                await on_thread(self._table.begin, tenant, run)
            if request.run_id != run_id:
                raise InvalidField("run_id", "must be the same in all messages of a call")
            if not request.rows and not request.is_last:
                raise InvalidField("rows", "must not be empty but in the last message")
            rows = await on_thread(codec.rows, request.rows)
            kept = await on_thread(self._table.record, tenant, run_id, rows)
            is_whole = request.is_last
            if is_whole:
                await on_thread(self._table.publish, tenant, run_id)
            yield recap_pb2.RecordRecapsResponse(
                batch_index=index, recorded_count=kept, dropped_count=len(rows) - kept
            )
            index += 1
