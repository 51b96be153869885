"""Runs a service: one port, health, reflection, guarded handlers, background work, drain."""

import asyncio
import contextlib
import functools
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final, TypeAlias, cast

import grpc
import grpc.aio
import structlog
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from threadpoolctl import threadpool_limits

from libs.faults import StartFault
from libs.serving.deadlines import DEFAULT_DEADLINE_MS
from libs.serving.guard import Handler, guarded
from libs.serving.identity import Authorize
from libs.serving.limits import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES
from libs.telemetry.metrics import ServiceMetrics, start_metrics_server

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", MAX_RESPONSE_BYTES),
    # One process a port: a second one is to fail, not to share.
    ("grpc.so_reuseport", 0),
    # Clients may look every 10 s whether an idle connection still lives.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


async def _nothing() -> None:
    """The end of an application that holds nothing."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """A gRPC service: its full name, and how its servicer is added to a server."""

    name: str
    mount: Callable[[grpc.aio.Server], None]


@dataclass(frozen=True, slots=True)
class Application:
    """What a composition root has built; nobody is let in but by `authorize`.

    Background tasks run until they end, or are cancelled at the end of the process; one that
    raises ends it. `drain` runs after the last call, while they still do; `close` after them.
    """

    services: tuple[Mounted, ...]
    _: KW_ONLY
    authorize: Authorize
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
    drain: Callable[[], Awaitable[None]] = _nothing
    close: Callable[[], Awaitable[None]] = _nothing


class Readiness:
    """Says of each service by its full name whether it can answer; one never named cannot."""

    def __init__(self, servicer: health.aio.HealthServicer) -> None:
        self._servicer = servicer
        self.named: set[str] = set()
        # Set when the process stops: streams without an end are to end then.
        self.draining = asyncio.Event()

    async def set(self, service: str, is_ready: bool) -> None:
        """Tell the health service and everybody who watches it."""
        self.named.add(service)
        status = health_pb2.HealthCheckResponse.ServingStatus
        await self._servicer.set(service, status.SERVING if is_ready else status.NOT_SERVING)


Build: TypeAlias = Callable[[Readiness], Awaitable[Application]]


@dataclass(slots=True, eq=False)
class Running:
    """A started server. `over` is set when a background task has failed."""

    port: int
    over: asyncio.Event = field(default_factory=asyncio.Event)
    has_failed: bool = False


def serve(
    build: Build,
    *,
    name: str,
    host: str,
    port: int,
    drain_ms: int,
    metrics: ServiceMetrics | None = None,
    metrics_port: int | None = None,
    default_deadline_ms: int = DEFAULT_DEADLINE_MS,
    tls: grpc.ServerCredentials | None = None,
) -> int:
    """Run until SIGTERM or SIGINT, then drain for at most `drain_ms`; returns the exit code.

    A StartFault is one line on standard error and exit code 1. Without `metrics_port` no
    metrics port is opened; 0 takes a free one, as for `port`.
    """
    # A process is one core's worth of work: more threads in BLAS and OpenMP only spin beside it.
    threadpool_limits(limits=1)

    async def run() -> int:
        log = structlog.get_logger()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        counted = metrics or ServiceMetrics()
        with contextlib.ExitStack() as held:
            if metrics_port is not None:
                listener = start_metrics_server(host, metrics_port, counted.registry)
                held.callback(listener.close)
                log.info("metrics", host=host, port=listener.port)
            async with running(
                build,
                host=host,
                port=port,
                drain_ms=drain_ms,
                metrics=counted,
                default_deadline_ms=default_deadline_ms,
                tls=tls,
            ) as server:
                log.info("listening", host=host, port=server.port)
                await _first_of(stop, server.over)
                log.info("draining", most_ms=drain_ms)
            log.info("stopped")
            return 1 if server.has_failed else 0

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run())
    except StartFault as fault:
        sys.stderr.write(f"{name}: {fault}\n")
        return 1


@contextlib.asynccontextmanager
async def running(
    build: Build,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    drain_ms: int = 0,
    metrics: ServiceMetrics | None = None,
    default_deadline_ms: int = DEFAULT_DEADLINE_MS,
    tls: grpc.ServerCredentials | None = None,
) -> AsyncIterator[Running]:
    """A server on the running loop, drained at the end; raises StartFault.

    The port is taken before `build` runs: what is in use is said before anything is opened.
    """
    server = grpc.aio.server(options=_OPTIONS)
    servicer = health.aio.HealthServicer()
    readiness = Readiness(servicer)
    held = contextlib.AsyncExitStack()
    async with held:
        held.push_async_callback(server.stop, None)
        bound = _bind(server, host, port, tls)
        application = await build(readiness)
        held.push_async_callback(application.close)
        counted = metrics or ServiceMetrics()
        for mounted in application.services:
            _mount(server, mounted, counted, default_deadline_ms, application.authorize)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        names = [mounted.name for mounted in application.services]
        reflected = (*names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        mount_reflection = functools.partial(
            reflection_pb2_grpc.add_ServerReflectionServicer_to_server,
            reflection.aio.ReflectionServicer(reflected),
        )
        reflecting = Mounted(reflection.SERVICE_NAME, mount_reflection)
        _mount(server, reflecting, counted, default_deadline_ms, application.authorize)
        for service in names:
            if service not in readiness.named:
                await readiness.set(service, False)
        await server.start()
        state = Running(bound)
        tasks = [_watched(work, state) for work in application.background]
        held.push_async_callback(_cancel, tasks)
        try:
            yield state
        finally:
            readiness.draining.set()
            await servicer.enter_graceful_shutdown()
            await server.stop(drain_ms / 1000)
            await _finish(application.drain, drain_ms / 1000)


def _bind(server: grpc.aio.Server, host: str, port: int, tls: grpc.ServerCredentials | None) -> int:
    # Tried with a plain socket first: gRPC does not tell why, and writes lines of its own.
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if tls is not None:
            return server.add_secure_port(address, tls)
        return server.add_insecure_port(address)
    except (OSError, RuntimeError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise StartFault(f"cannot listen on {host}:{port}: {cause}") from error


class _Handlers:
    """Takes the place of a server in generated code, and keeps the handlers that it is given."""

    def __init__(self) -> None:
        self.by_service: dict[str, dict[str, Handler]] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """The same handlers as below, in a form that cannot be taken apart."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """The handlers by their methods' names."""
        self.by_service[service] = dict(handlers)


def _mount(
    server: grpc.aio.Server,
    mounted: Mounted,
    metrics: ServiceMetrics,
    default_deadline_ms: int,
    authorize: Authorize,
) -> None:
    kept = _Handlers()
    mounted.mount(cast("grpc.aio.Server", kept))
    for service, handlers in kept.by_service.items():
        guards = {
            method: guarded(
                f"/{service}/{method}",
                handler,
                metrics=metrics,
                default_deadline_ms=default_deadline_ms,
                authorize=authorize,
            )
            for method, handler in handlers.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, guards),))
        server.add_registered_method_handlers(service, guards)


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


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    await _cancel(waiting)
