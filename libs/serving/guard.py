"""What stands around every handler: faults become statuses, calls are counted and bounded."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import grpc.aio
import structlog
from google.protobuf.message import DecodeError

from libs.faults import DeadlineSpent, Fault
from libs.serving.deadlines import has_deadline
from libs.serving.identity import Authorize, Context, enter
from libs.serving.status import CODES, InternalDefect, MalformedMessage, refuse
from libs.telemetry.metrics import ServiceMetrics

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(frozen=True, slots=True)
class Malformed:
    """Stands for a request whose bytes could not be read.

    A deserializer that raises makes gRPC answer INTERNAL, so it returns this instead.
    """


def guarded(
    method: str,
    handler: Handler,
    *,
    metrics: ServiceMetrics,
    default_deadline_ms: int,
    authorize: Authorize,
) -> Handler:
    """The same handler with the guard around it; `method` is "/package.Service/Method".

    Wrapped once, when the server is made: an interceptor would cost each call a lookup.
    """
    watch = _Watch(method, metrics, authorize)
    read = _reading(handler.request_deserializer)
    write = handler.response_serializer
    match handler.request_streaming, handler.response_streaming:
        case False, False:
            return grpc.unary_unary_rpc_method_handler(
                _answering(handler.unary_unary, watch, default_deadline_ms / 1000), read, write
            )
        case True, False:
            return grpc.stream_unary_rpc_method_handler(
                _taking(handler.stream_unary, watch), read, write
            )
        case False, True:
            return grpc.unary_stream_rpc_method_handler(
                _sending(handler.unary_stream, watch), read, write
            )
    return grpc.stream_stream_rpc_method_handler(
        _sending(handler.stream_stream, watch), read, write
    )


class _Watch:
    """Turns the ends of one method's calls into counts and faults."""

    __slots__ = ("_authorize", "_codes", "_log", "_metrics", "_seconds", "method")

    def __init__(self, method: str, metrics: ServiceMetrics, authorize: Authorize) -> None:
        self.method = method
        self._authorize = authorize
        self._metrics = metrics
        self._seconds = metrics.seconds.labels(method)
        self._codes = {"OK": metrics.handled.labels(method, "OK")}
        self._log = structlog.get_logger()

    def admit(self, context: Context) -> None:
        """Find out who calls; raises Unauthenticated or PermissionDenied."""
        enter(self._authorize(self.method, context))

    def over(self, code: str, started: float) -> None:
        """Count a call that began at perf_counter `started` and ended with `code`."""
        counter = self._codes.get(code)
        if counter is None:
            counter = self._codes[code] = self._metrics.handled.labels(self.method, code)
        counter.inc()
        self._seconds.observe(time.perf_counter() - started)

    def fault_of(self, error: Exception) -> Fault:
        """The fault to answer; an error that is none is a defect and logged, once, here."""
        if isinstance(error, Fault):
            return error
        trace_id = uuid.uuid4().hex
        self._log.error("internal defect", method=self.method, trace_id=trace_id, exc_info=error)
        return InternalDefect(trace_id)

    @contextlib.asynccontextmanager
    async def around(self, context: Context) -> AsyncIterator[None]:
        """Let the caller in, count what happens inside and answer its faults."""
        started = time.perf_counter()
        try:
            self.admit(context)
            yield
        except (asyncio.CancelledError, GeneratorExit):
            self.over("CANCELLED", started)
            raise
        except Exception as error:  # the one place where every error must find an answer
            fault = self.fault_of(error)
            self.over(CODES[fault.reason].name, started)
            await refuse(context, fault)
        else:
            self.over("OK", started)


def _reading(deserializer: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    if deserializer is None:
        return bytes

    def read(data: bytes) -> Any:
        try:
            return deserializer(data)
        except DecodeError:
            return Malformed()

    return read


def _answering(behaviour: Any, watch: _Watch, default_s: float) -> Any:
    async def answer(request: Any, context: Context) -> Any:
        # Written out and not `async with watch.around`: this is every hot call.
        started = time.perf_counter()
        try:
            watch.admit(context)
            if isinstance(request, Malformed):
                raise MalformedMessage(watch.method)
            if has_deadline(context):
                response = await behaviour(request, context)
            else:
                response = await _within(default_s, behaviour(request, context), watch.method)
        except asyncio.CancelledError:
            watch.over("CANCELLED", started)
            raise
        except Exception as error:  # the one place where every error must find an answer
            fault = watch.fault_of(error)
            watch.over(CODES[fault.reason].name, started)
            await refuse(context, fault)
        watch.over("OK", started)
        return response

    return answer


async def _within(seconds: float, answer: Any, method: str) -> Any:
    try:
        async with asyncio.timeout(seconds) as scope:
            return await answer
    except TimeoutError:
        if scope.expired():
            raise DeadlineSpent(method) from None
        raise


def _taking(behaviour: Any, watch: _Watch) -> Any:
    async def take(requests: AsyncIterator[Any], context: Context) -> Any:
        async with watch.around(context):
            return await behaviour(_well_formed(requests, watch.method), context)

    return take


def _sending(behaviour: Any, watch: _Watch) -> Any:
    async def send(request: Any, context: Context) -> AsyncIterator[Any]:
        async with watch.around(context):
            if isinstance(request, Malformed):
                raise MalformedMessage(watch.method)
            if isinstance(request, AsyncIterator):
                request = _well_formed(request, watch.method)
            async with contextlib.aclosing(behaviour(request, context)) as responses:
                async for response in responses:
                    yield response

    return send


async def _well_formed(requests: AsyncIterator[Any], method: str) -> AsyncIterator[Any]:
    async for request in requests:
        if isinstance(request, Malformed):
            raise MalformedMessage(method)
        yield request
