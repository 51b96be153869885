"""What stands around every handler: calls are bounded, traced and counted, faults answered."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

import grpc
import grpc.aio
import structlog
from google.protobuf.message import DecodeError

from libs.faults import DeadlineSpent, Fault
from libs.serving.admission import Admission
from libs.serving.deadlines import has_deadline
from libs.serving.identity import Authorize, Context, enter
from libs.serving.limits import Limits
from libs.serving.status import CODES, InternalDefect, MalformedMessage, refuse
from libs.telemetry.metrics import ServiceMetrics
from libs.telemetry.traces import HEADER, Tracing, current_trace

# gRPC's own word for how often a call was tried before; the first attempt goes without it.
_EARLIER_ATTEMPTS: Final = "grpc-previous-rpc-attempts"

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(frozen=True, slots=True)
class Malformed:
    """Stands for a request whose bytes could not be read.

    A deserializer that raises makes gRPC answer INTERNAL, so it returns this instead.
    """


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """What the handlers of one process share."""

    metrics: ServiceMetrics
    tracing: Tracing
    limits: Limits
    authorize: Authorize
    calls: Admission
    streams: Admission

    @staticmethod
    def of(
        metrics: ServiceMetrics, tracing: Tracing, limits: Limits, authorize: Authorize
    ) -> "Guard":
        """A guard that has let nobody in yet."""
        return Guard(
            metrics,
            tracing,
            limits,
            authorize,
            calls=Admission("calls in flight", limits.most_in_flight),
            streams=Admission("open streams", limits.most_streams),
        )

    def around(self, method: str, handler: Handler) -> Handler:
        """The same handler, guarded; `method` is "/package.Service/Method".

        Wrapped once, when the server is made: an interceptor would cost each call a lookup.
        """
        watch = _Watch(method, self)
        read = _reading(handler.request_deserializer)
        write = handler.response_serializer
        match handler.request_streaming, handler.response_streaming:
            case False, False:
                return grpc.unary_unary_rpc_method_handler(
                    _answering(handler.unary_unary, watch), read, write
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

    __slots__ = ("_codes", "_log", "_metrics", "_seconds", "guard", "method")

    def __init__(self, method: str, guard: Guard) -> None:
        self.method = method
        self.guard = guard
        self._metrics = guard.metrics
        self._seconds = guard.metrics.seconds.labels(method)
        self._codes = {"OK": guard.metrics.handled.labels(method, "OK")}
        self._log = structlog.get_logger()

    def begin(self, context: Context) -> Any:
        """Make the caller's trace the current one; the span to end with the call, or None."""
        header = None
        for key, value in context.invocation_metadata() or ():
            if key == HEADER:
                header = str(value)
            elif key == _EARLIER_ATTEMPTS:
                self._metrics.repeated.labels(self.method).inc()
        return self.guard.tracing.begin(self.method, header)

    def admit(self, context: Context) -> None:
        """Find out who calls; raises Unauthenticated or PermissionDenied."""
        enter(self.guard.authorize(self.method, context))

    def over(self, code: str, started: float, span: Any) -> None:
        """Count a call that began at perf_counter `started` and ended with `code`."""
        counter = self._codes.get(code)
        if counter is None:
            counter = self._codes[code] = self._metrics.handled.labels(self.method, code)
        counter.inc()
        self._seconds.observe(time.perf_counter() - started)
        if span is not None:
            span.set_attribute("rpc.response.status_code", code)
            span.end()

    def fault_of(self, error: Exception) -> Fault:
        """The fault to answer; an error that is none is a defect and logged, once, here."""
        if isinstance(error, Fault):
            return error
        trace = current_trace()
        trace_id = "" if trace is None else trace.trace_id
        self._log.error("internal defect", method=self.method, trace_id=trace_id, exc_info=error)
        return InternalDefect(trace_id)

    @contextlib.asynccontextmanager
    async def around(self, context: Context) -> AsyncIterator[None]:
        """Admit a stream, count what happens inside and answer its faults."""
        started = time.perf_counter()
        span = self.begin(context)
        try:
            self.guard.streams.enter()
            try:
                self.admit(context)
                yield
            finally:
                self.guard.streams.leave()
        except (asyncio.CancelledError, GeneratorExit):
            self.over("CANCELLED", started, span)
            raise
        except Exception as error:  # the one place where every error must find an answer
            fault = self.fault_of(error)
            self.over(CODES[fault.reason].name, started, span)
            await refuse(context, fault)
        else:
            self.over("OK", started, span)


def _reading(deserializer: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    if deserializer is None:
        return bytes

    def read(data: bytes) -> Any:
        try:
            return deserializer(data)
        except DecodeError:
            return Malformed()

    return read


def _answering(behaviour: Any, watch: _Watch) -> Any:
    calls, default_s = watch.guard.calls, watch.guard.limits.default_deadline_ms / 1000

    async def answer(request: Any, context: Context) -> Any:
        # Written out and not `async with watch.around`: this is every hot call.
        started = time.perf_counter()
        span = watch.begin(context)
        try:
            calls.enter()
            try:
                watch.admit(context)
                if isinstance(request, Malformed):
                    raise MalformedMessage(watch.method)
                if has_deadline(context):
                    response = await behaviour(request, context)
                else:
                    response = await _within(default_s, behaviour(request, context), watch.method)
            finally:
                calls.leave()
        except asyncio.CancelledError:
            watch.over("CANCELLED", started, span)
            raise
        except Exception as error:  # the one place where every error must find an answer
            fault = watch.fault_of(error)
            watch.over(CODES[fault.reason].name, started, span)
            await refuse(context, fault)
        watch.over("OK", started, span)
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
    send_s = watch.guard.limits.send_ms / 1000

    async def send(request: Any, context: Context) -> AsyncIterator[Any]:
        loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        async with watch.around(context):
            if isinstance(request, Malformed):
                raise MalformedMessage(watch.method)
            if isinstance(request, AsyncIterator):
                request = _well_formed(request, watch.method)
            async with contextlib.aclosing(behaviour(request, context)) as responses:
                async for response in responses:
                    # The generator stands still until the client's window has room for this
                    # one: a client that never reads would hold the call for ever.
                    patience = loop.call_later(send_s, task.cancel)
                    try:
                        yield response
                    finally:
                        patience.cancel()

    return send


async def _well_formed(requests: AsyncIterator[Any], method: str) -> AsyncIterator[Any]:
    async for request in requests:
        if isinstance(request, Malformed):
            raise MalformedMessage(method)
        yield request
