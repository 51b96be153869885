"""Runs a service as a process, or as several that share its port, until it is told to stop."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable

import grpc
import structlog
import uvloop
from threadpoolctl import threadpool_limits

from libs.faults import StartFault
from libs.serving.application import Build
from libs.serving.health import start_health_server
from libs.serving.plan import Plan
from libs.serving.server import running
from libs.serving.supervisor import supervise
from libs.serving.waiting import first_of
from libs.serving.worker import Link
from libs.telemetry.metrics import ServiceMetrics, start_metrics_server
from libs.telemetry.traces import Spans, Tracing


def serve(
    build: Build,
    plan: Plan,
    metrics: ServiceMetrics,
    *,
    tls: grpc.ServerCredentials | None = None,
) -> int:
    """Run until SIGTERM or SIGINT, then drain; returns the exit code. `tls` secures the port.

    A StartFault is one line on standard error and exit code 1.
    """
    try:
        if plan.workers > 1 and plan.seat is None:
            return asyncio.run(supervise(plan))
        # A process is one core's worth of work: more threads in BLAS and OpenMP only spin.
        threadpool_limits(limits=1)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(build, plan, metrics, tls))
    except StartFault as fault:
        sys.stderr.write(f"{plan.name}: {fault}\n")
        return 1


async def _serve(
    build: Build, plan: Plan, metrics: ServiceMetrics, tls: grpc.ServerCredentials | None
) -> int:
    log = structlog.get_logger()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as held:
        surroundings = _alone(plan, metrics) if plan.seat is None else _as_worker(plan, stop)
        tell, tell_port = await held.enter_async_context(surroundings)
        spans = _spans(plan)
        if spans is not None:
            held.push_async_callback(asyncio.to_thread, spans.close)
        async with running(
            build,
            host=plan.host,
            port=plan.port,
            shares_port=plan.seat is not None,
            drain_ms=plan.drain_ms,
            metrics=metrics,
            tracing=Tracing(plan.trace_ratio, spans),
            limits=plan.limits,
            tell=tell,
            tls=tls,
        ) as server:
            tell_port(server.port)
            log.info("listening", host=plan.host, port=server.port)
            await first_of(stop, server.over)
            # Clients and load balancers look for another process while this one still answers.
            await server.readiness.withdraw()
            log.info("draining", notice_ms=plan.notice_ms, most_ms=plan.drain_ms)
            if not server.has_failed:
                await asyncio.sleep(plan.notice_ms / 1000)
        log.info("stopped")
        return 1 if server.has_failed else 0


def _spans(plan: Plan) -> Spans | None:
    if not plan.otlp_endpoint:
        return None
    # Imported where it is used: a service that exports nothing starts without it.
    from libs.telemetry.spans import spans_to

    return spans_to(plan.otlp_endpoint, plan.name)


@contextlib.asynccontextmanager
async def _alone(
    plan: Plan, metrics: ServiceMetrics
) -> AsyncIterator[tuple[Callable[[str, bool], None], Callable[[int], None]]]:
    """The ports of a process that has no parent: its health and its metrics."""
    log = structlog.get_logger()
    with contextlib.ExitStack() as held:
        health = start_health_server(plan.host, plan.health_port)
        held.callback(health.close)
        log.info("health", host=plan.host, port=health.port)
        listener = start_metrics_server(plan.host, plan.metrics_port, metrics.registry)
        held.callback(listener.close)
        log.info("metrics", host=plan.host, port=listener.port)
        yield health.tell, lambda port: None


@contextlib.asynccontextmanager
async def _as_worker(
    plan: Plan, stop: asyncio.Event
) -> AsyncIterator[tuple[Callable[[str, bool], None], Callable[[int], None]]]:
    """The link of a worker to its parent, whose end is the worker's too."""
    assert plan.seat is not None  # noqa: S101 - for the type checker
    structlog.contextvars.bind_contextvars(worker=plan.seat.number)
    link = Link.of(plan.seat)
    asyncio.get_running_loop().add_reader(link.socket, stop.set)
    try:
        yield link.tell_ready, link.tell_listening
    finally:
        asyncio.get_running_loop().remove_reader(link.socket)
        link.socket.close()
