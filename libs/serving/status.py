"""Between faults and gRPC: the one place that knows which fault is which status."""

from typing import Any, Final, Never

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.rpc import (  # type: ignore[import-untyped]  # published without stubs
    error_details_pb2,
    status_pb2,
)

from libs.faults import (
    BatchTooLarge,
    BundleNotLoaded,
    ConsentMissing,
    DeadlineSpent,
    Fault,
    HistoryCompacted,
    InvalidField,
    NotFound,
    Overloaded,
    PartUnavailable,
    PermissionDenied,
    PreviewChanged,
    Unauthenticated,
)
from libs.telemetry.traces import current_trace

ERROR_DOMAIN: Final = "reprise"

_DETAILS_KEY: Final = "grpc-status-details-bin"

# How gRPC itself says that a message is above the size that one side has set.
_TOO_LARGE: Final = "message larger than max"


class MalformedMessage(Fault):
    """The bytes of a request are no message of its method."""

    reason = "MALFORMED_MESSAGE"

    def __init__(self, method: str) -> None:
        super().__init__(f"the bytes are no request of {method}", method=method)


class InternalDefect(Fault):
    """A defect of ours; the log holds its trace under `trace_id`."""

    reason = "INTERNAL"

    def __init__(self, trace_id: str) -> None:
        super().__init__(f"internal defect; see the log for {trace_id}", trace_id=trace_id)


CODES: Final = {
    InvalidField.reason: grpc.StatusCode.INVALID_ARGUMENT,
    MalformedMessage.reason: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound.reason: grpc.StatusCode.NOT_FOUND,
    PartUnavailable.reason: grpc.StatusCode.UNAVAILABLE,
    BundleNotLoaded.reason: grpc.StatusCode.FAILED_PRECONDITION,
    ConsentMissing.reason: grpc.StatusCode.FAILED_PRECONDITION,
    PreviewChanged.reason: grpc.StatusCode.FAILED_PRECONDITION,
    HistoryCompacted.reason: grpc.StatusCode.OUT_OF_RANGE,
    Overloaded.reason: grpc.StatusCode.RESOURCE_EXHAUSTED,
    BatchTooLarge.reason: grpc.StatusCode.RESOURCE_EXHAUSTED,
    DeadlineSpent.reason: grpc.StatusCode.DEADLINE_EXCEEDED,
    InternalDefect.reason: grpc.StatusCode.INTERNAL,
    Unauthenticated.reason: grpc.StatusCode.UNAUTHENTICATED,
    PermissionDenied.reason: grpc.StatusCode.PERMISSION_DENIED,
}


def status_of(fault: Fault, trace_id: str = "") -> status_pb2.Status:
    """The status of a fault: exactly one ErrorInfo, and what its reason adds to that."""
    metadata = {"trace_id": trace_id, **fault.metadata} if trace_id else fault.metadata
    status = status_pb2.Status(code=CODES[fault.reason].value[0], message=str(fault))
    status.details.add().Pack(
        error_details_pb2.ErrorInfo(
            reason=f"ERROR_REASON_{fault.reason}", domain=ERROR_DOMAIN, metadata=metadata
        )
    )
    if isinstance(fault, InvalidField):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=fault.field, description=fault.problem
        )
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    if isinstance(fault, Overloaded):
        delay = Duration()
        delay.FromMilliseconds(fault.retry_after_ms)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


async def refuse(context: "grpc.aio.ServicerContext[Any, Any]", fault: Fault) -> Never:
    """End the call with the status of `fault`, and the trace that leads to its log lines."""
    trace = current_trace()
    status = status_of(fault, "" if trace is None else trace.trace_id)
    await context.abort(
        CODES[fault.reason],
        str(fault),
        ((_DETAILS_KEY, status.SerializeToString()),),
    )


def fault_of(part: str, error: grpc.aio.AioRpcError) -> Fault:
    """The fault that a failed call to `part` means for its caller.

    A status without our ErrorInfo comes from gRPC itself: a CANCELLED that nobody here asked
    for is how a full server rejects, and all that is left means that the part is not there.
    """
    code = error.code()
    info = _error_info(error)
    retry_after_ms = _retry_after_ms(error)
    text = error.details() or "no details"
    match info.reason.removeprefix("ERROR_REASON_"), code:
        case (InvalidField.reason, _):
            return InvalidField(info.metadata["field"], info.metadata["problem"])
        case (NotFound.reason, _):
            return NotFound(info.metadata["kind"], info.metadata["id"])
        case (BundleNotLoaded.reason, _):
            loaded = info.metadata["loaded"]
            return BundleNotLoaded(
                info.metadata["wanted"], tuple(loaded.split(",")) if loaded else ()
            )
        case (BatchTooLarge.reason, _):
            most, given = int(info.metadata["most"]), int(info.metadata["given"])
            return BatchTooLarge(info.metadata["field"], most=most, given=given)
        case (HistoryCompacted.reason, _):
            return HistoryCompacted(
                int(info.metadata["as_of_ms"]), int(info.metadata["compacted_until_ms"])
            )
        case ("", grpc.StatusCode.RESOURCE_EXHAUSTED) if _TOO_LARGE in text:
            return InvalidField("", text)
        case (_, grpc.StatusCode.RESOURCE_EXHAUSTED | grpc.StatusCode.CANCELLED):
            limit = info.metadata["limit"] if info.reason else part
            return Overloaded(limit, retry_after_ms=retry_after_ms)
        case (_, grpc.StatusCode.DEADLINE_EXCEEDED):
            return DeadlineSpent(part)
    return PartUnavailable(part, f"{code.name}: {text}")


def _error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    for detail in _details(error).details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
    return info if info.domain == ERROR_DOMAIN else error_details_pb2.ErrorInfo()


def _retry_after_ms(error: grpc.aio.AioRpcError) -> int:
    retry = error_details_pb2.RetryInfo()
    for detail in _details(error).details:
        if detail.Is(retry.DESCRIPTOR):
            detail.Unpack(retry)
    return int(retry.retry_delay.ToMilliseconds())


def _details(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()
