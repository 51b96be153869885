"""Runs a plan: finds the method, starts the client processes together, gathers their reports."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final, cast

import grpc
import psutil

from cli.load.caller import credentials
from cli.load.job import Calls, Job, Report
from cli.load.method import Method, find_method
from cli.load.plan import LoadPlan
from cli.load.requests import Row, check_rows, parse_rows
from libs.faults import StartFault

# From "go" to the first call.
_START_IN_S: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class LoadRun:
    """What a plan has come to.

    `window_s` is the time that counts for rates: the planned duration where there is one, else
    up to the last answer. `idle_share` is the smallest of the generator's cores where it is
    pinned, else of what one core would have left to each process.
    """

    plan: LoadPlan
    calls: Calls
    errors: dict[str, int]
    unsent: int
    total_s: float
    window_s: float
    cpu_s: float
    idle_share: float
    began_at_s: float  # Unix time


def describe(plan: LoadPlan) -> Method:
    """The method of a plan, by reflection; raises StartFault when nobody answers there."""
    with (
        grpc.insecure_channel(plan.target)
        if plan.tls is None
        else grpc.secure_channel(plan.target, credentials(plan.tls))
    ) as channel:
        return find_method(channel, plan.call, metadata=plan.metadata)


def load(plan: LoadPlan, data: str) -> LoadRun:
    """Find the method, make requests of `data` and run the plan."""
    method = describe(plan)
    rows = parse_rows(data, method)
    check_rows(method, rows, seed=plan.seed)
    return run(plan, method, rows)


def run(plan: LoadPlan, method: Method, rows: Sequence[Row]) -> LoadRun:
    """Run a plan on a method that is known."""
    with prepared(plan, method, rows) as generator:
        generator.start()
        return generator.finish()


class Generator:
    """The client processes of a plan, connected and waiting."""

    def __init__(self, plan: LoadPlan, workers: Sequence["_Worker"]) -> None:
        self._plan = plan
        self._workers = workers
        self._began_at_s = 0.0

    def start(self, *, in_s: float = _START_IN_S) -> None:
        """Let the first call leave after that many seconds; every process has heard it by then."""
        self._began_at_s = time.time() + in_s
        start = f"{time.monotonic() + in_s!r}\n".encode()
        for worker in self._workers:
            worker.tell(start)

    def finish(self) -> LoadRun:
        """Wait for the end of the run."""
        reports = [worker.report() for worker in self._workers]
        return _joined(self._plan, reports, self._began_at_s)


@contextmanager
def prepared(plan: LoadPlan, method: Method, rows: Sequence[Row]) -> Iterator[Generator]:
    """A generator that only waits for its start, so that several can be started together."""
    _check_cores(plan.cores)
    jobs = [Job(plan, method, tuple(rows), index) for index in range(plan.processes)]
    with _workers(len(jobs)) as workers:
        for worker, job in zip(workers, jobs, strict=True):
            worker.tell(job.dump())
        for worker in workers:
            worker.expect_ready()
        yield Generator(plan, workers)


def _joined(plan: LoadPlan, reports: list[Report], began_at_s: float) -> LoadRun:
    calls = Calls.join([report.calls for report in reports])
    errors: dict[str, int] = {}
    for report in reports:
        for text, count in report.errors.items():
            errors[text] = errors.get(text, 0) + count
    total_s = float(calls.ended_s.max(initial=0.0))
    return LoadRun(
        plan=plan,
        calls=calls,
        errors=errors,
        unsent=sum(report.unsent for report in reports),
        total_s=total_s,
        window_s=total_s if plan.duration_s is None else plan.duration_s,
        cpu_s=sum(report.cpu_s for report in reports),
        idle_share=min(_idle_share(report) for report in reports),
        began_at_s=began_at_s,
    )


def _idle_share(report: Report) -> float:
    if report.core_idle_share is not None:
        return report.core_idle_share
    return max(0.0, 1 - report.cpu_s / report.sending_s) if report.sending_s > 0 else 1.0


def _check_cores(cores: tuple[int, ...]) -> None:
    allowed = psutil.Process().cpu_affinity() or []
    missing = sorted(set(cores) - set(allowed))
    if missing:
        raise StartFault(f"no core {missing[0]} here; there are: {', '.join(map(str, allowed))}")


class _Worker:
    """A client process and the pipes to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cli.load.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "GRPC_VERBOSITY": "NONE"},
        )
        self._stdin = cast("IO[bytes]", self._process.stdin)
        self._stdout = cast("IO[bytes]", self._process.stdout)

    def tell(self, line: bytes) -> None:
        """Write one line."""
        try:
            self._stdin.write(line)
            self._stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def expect_ready(self) -> None:
        """Wait until it can start."""
        if self._stdout.readline() != b"ready\n":
            raise self._failure()

    def report(self) -> Report:
        """Wait for its end and take its report."""
        data = self._stdout.read()
        if self._process.wait() or not data:
            raise self._failure()
        return Report.read(data)

    def _failure(self) -> StartFault:
        _, errors = self._process.communicate()
        lines = errors.decode("utf-8", "replace").strip().split("\n")
        return StartFault(f"a client process failed: {lines[-1] or 'it wrote nothing'}")

    def end(self) -> None:
        """Stop it where it has not ended, and close the pipes."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()


@contextmanager
def _workers(count: int) -> Iterator[list[_Worker]]:
    workers: list[_Worker] = []
    try:
        workers.extend(_Worker() for _ in range(count))
        yield workers
    finally:
        for worker in workers:
            worker.end()
