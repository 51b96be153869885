"""One process's server: guarded handlers, reflection, background work, drain."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import grpc
import grpc.aio
import structlog
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from libs.serving import ports
from libs.serving.application import Build, Mounted, Readiness
from libs.serving.guard import Guard, Handler
from libs.serving.limits import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Limits
from libs.telemetry.metrics import ServiceMetrics
from libs.telemetry.traces import Tracing

# A worker takes connections once it can answer them, and after this long in any case: a
# service that waits for its first bundle must hear of it.
READY_WITHIN_S: Final = 5.0

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", MAX_RESPONSE_BYTES),
    # Clients may look every 10 s whether an idle connection still lives.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A client that is gone without a word is noticed within 80 s, and its streams end.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)


@dataclass(slots=True, eq=False)
class Running:
    """A started server. `over` is set when a background task has failed."""

    port: int
    readiness: Readiness
    over: asyncio.Event = field(default_factory=asyncio.Event)
    has_failed: bool = False


@contextlib.asynccontextmanager
async def running(
    build: Build,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    shares_port: bool = False,
    drain_ms: int = 0,
    metrics: ServiceMetrics | None = None,
    tracing: Tracing | None = None,
    limits: Limits | None = None,
    tell: Callable[[str, bool], None] | None = None,
    tls: grpc.ServerCredentials | None = None,
) -> AsyncIterator[Running]:
    """A server on the running loop, drained at the end; raises StartFault.

    A port of its own is taken before `build` runs: what is in use is said before anything is
    opened. One that `shares_port` joins it when the application is ready. `tell` hears which
    services are ready.
    """
    limits = limits or Limits()
    server = grpc.aio.server(options=_options(limits, shares_port=shares_port))
    readiness = Readiness(tell) if tell is not None else Readiness()
    async with contextlib.AsyncExitStack() as held:
        held.push_async_callback(server.stop, None)
        if not shares_port:
            port = ports.listen(cast("ports.Listening", server), host, port, tls)
        application = await build(readiness)
        held.push_async_callback(application.close)
        admit = application.authorize
        guard = Guard.of(metrics or ServiceMetrics(), tracing or Tracing(0), limits, admit)
        names = [mounted.name for mounted in application.services]
        for mounted in application.services:
            _mount(server, mounted, guard)
            # Named, if it was not yet: what is never named is waited for by nobody.
            await readiness.set(mounted.name, readiness.is_ready(mounted.name))
        # Looking around is no load: reflection is guarded, and counted apart.
        _mount(server, _reflection(names), Guard.of(guard.metrics, guard.tracing, limits, admit))
        state = Running(port, readiness)
        tasks = [_watched(work, state) for work in application.background]
        held.push_async_callback(_cancel, tasks)
        if shares_port:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(readiness.wait_until_ready(), READY_WITHIN_S)
            state.port = ports.join(cast("ports.Listening", server), host, port, tls)
        await server.start()
        try:
            yield state
        finally:
            await readiness.withdraw()
            readiness.draining.set()
            await server.stop(drain_ms / 1000)
            await _finish(application.drain, drain_ms / 1000)


def _options(limits: Limits, *, shares_port: bool) -> tuple[tuple[str, int], ...]:
    return (
        *_OPTIONS,
        # Otherwise a second process on the port would share it and not fail.
        ("grpc.so_reuseport", int(shares_port)),
        ("grpc.server.max_pending_requests", limits.most_pending),
        ("grpc.server.max_pending_requests_hard_limit", limits.most_pending_hard),
    )


def _reflection(names: Iterable[str]) -> Mounted:
    servicer = reflection.aio.ReflectionServicer((*names, reflection.SERVICE_NAME))
    return Mounted(
        reflection.SERVICE_NAME,
        lambda server: reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server),
    )


class _Handlers:
    """Takes the place of a server in generated code, and keeps the handlers that it is given."""

    def __init__(self) -> None:
        self.by_service: dict[str, dict[str, Handler]] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """The same handlers as below, in a form that cannot be taken apart."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """The handlers by their methods' names."""
        self.by_service[service] = dict(handlers)


def _mount(server: grpc.aio.Server, mounted: Mounted, guard: Guard) -> None:
    kept = _Handlers()
    mounted.mount(cast("grpc.aio.Server", kept))
    for service, handlers in kept.by_service.items():
        guarded = {
            method: guard.around(f"/{service}/{method}", handler)
            for method, handler in handlers.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, guarded),))
        server.add_registered_method_handlers(service, guarded)


def _watched(work: Callable[[], Coroutine[Any, Any, None]], state: Running) -> asyncio.Task[None]:
    """The task of background work; when it raises, the process is over."""

    async def watch() -> None:
        try:
            await work()
        except Exception as error:  # whatever it was, a service without it is none
            structlog.get_logger().error("background task failed", exc_info=error)
            state.has_failed = True
            state.over.set()

    return asyncio.create_task(watch())


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _finish(drain: Callable[[], Awaitable[None]], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await drain()
    except TimeoutError:
        structlog.get_logger().warning("not drained in time", seconds=seconds)
