"""The suite on one machine: its processes, started together and stopped together."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, Literal

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import SecretStr

from libs.faults import StartFault
from libs.serving.settings import SuiteSettings

READY_WITHIN_S: Final = 30.0
# SIGINT too: a shell may have started this command with Ctrl-C turned off.
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# What each service listens for: calls, whoever reads metrics, probes.
PORT_KINDS: Final = ("", "_metrics", "_health")


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service of the suite: its name among the settings, its gRPC name, if it writes a file.

    A file has one writer, so a service that writes one runs as one process.
    """

    name: str
    grpc_name: str
    writes_file: bool

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return f"services.{self.name}"


SERVICES: Final = (
    ServiceSpec("events", "reprise.events.v1.EventsService", writes_file=True),
    ServiceSpec("candidates", "reprise.candidates.v1.CandidatesService", writes_file=True),
    ServiceSpec("ranking", "reprise.ranking.v1.RankingService", writes_file=False),
    ServiceSpec("recap", "reprise.recap.v1.RecapService", writes_file=True),
)

SERVICE_NAMES: Final = tuple(spec.name for spec in SERVICES)


def target(settings: SuiteSettings, name: str) -> str:
    """Where a service of the suite listens."""
    return str(getattr(settings, f"{name}_target"))


def health_target(settings: SuiteSettings, name: str) -> str:
    """Where a service of the suite is asked for its health."""
    return str(getattr(settings, f"{name}_health_target"))


def environment(settings: SuiteSettings) -> dict[str, str]:
    """The environment that gives a process the same settings, secrets too.

    What nobody has set is left to each process: some services have other defaults.
    """
    return {
        f"REPRISE_{key.upper()}": (
            value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        )
        for key, value in settings.model_dump(exclude_unset=True).items()
        if value is not None
    }


def with_free_ports(settings: SuiteSettings) -> SuiteSettings:
    """The same settings on ports that nobody uses now."""
    names = [f"{spec.name}{kind}_port" for spec in SERVICES for kind in PORT_KINDS]
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in names]
        for sock in sockets:
            sock.bind((settings.host, 0))
        ports = {name: sock.getsockname()[1] for name, sock in zip(names, sockets, strict=True)}
    targets = {
        f"{spec.name}{kind}_target": f"{settings.host}:{ports[f'{spec.name}{kind}_port']}"
        for spec in SERVICES
        for kind in ("", "_health")
    }
    return settings.model_copy(update={"port_base": 0, **ports, **targets})


def is_serving(target: str, grpc_name: str, *, timeout_s: float = 1.0) -> bool:
    """Whether the health service at `target` says SERVING for that name."""
    with grpc.insecure_channel(target) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=grpc_name), timeout=timeout_s
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def is_listening(target: str, *, timeout_s: float = 0.2) -> bool:
    """Whether anything accepts connections there."""
    host, _, port = target.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=timeout_s):
            return True
    except OSError:
        return False


def is_up(settings: SuiteSettings, names: Collection[str] = SERVICE_NAMES) -> bool:
    """Whether these services of the suite already listen."""
    return all(is_listening(target(settings, name)) for name in names)


class Suite:
    """The processes that this one has started; a context that stops them at its end."""

    def __init__(self, settings: SuiteSettings, *, names: tuple[str, ...] | None = None) -> None:
        self.settings = settings
        self._specs = [spec for spec in SERVICES if names is None or spec.name in names]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start every process; they find each other by the targets of the settings."""
        for spec in self._specs:
            self.start_one(spec.name)

    def start_one(self, name: str, extra: Mapping[str, str] | None = None) -> None:
        """Start the process of one service, with `extra` environment."""
        spec = next(spec for spec in self._specs if spec.name == name)
        alone = {"REPRISE_WORKERS": "1"} if spec.writes_file else {}
        log_path = self.settings.home / "run" / f"{name}.log"
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", spec.module],
                env={**os.environ, **environment(self.settings), **alone, **(extra or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches this process alone, which then stops the others in order.
                start_new_session=True,
            )

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """The process of one service."""
        return self._processes[name]

    def wait_ready(
        self,
        names: tuple[str, ...] | None = None,
        *,
        for_what: Literal["traffic", "life"] = "traffic",
        within_s: float = READY_WITHIN_S,
    ) -> None:
        """Wait until health says SERVING for each service, or for its process.

        Raises StartFault with the last line of the log of one that ended.
        """
        waiting = [spec for spec in self._specs if names is None or spec.name in names]
        end = time.monotonic() + within_s
        while waiting:
            waiting = [
                spec
                for spec in waiting
                if not is_serving(
                    health_target(self.settings, spec.name),
                    spec.grpc_name if for_what == "traffic" else "",
                )
            ]
            for spec in waiting:
                self._check_alive(spec.name)
            if waiting and time.monotonic() > end:
                names_left = ", ".join(spec.name for spec in waiting)
                raise StartFault(
                    f"not ready after {within_s:.0f} s: {names_left};"
                    f" see the logs in {self.settings.home / 'run'}"
                )
            if waiting:
                time.sleep(0.05)

    def _check_alive(self, name: str) -> None:
        code = self._processes[name].poll()
        if code is not None:
            raise StartFault(f"{name} {self.end_of(name)}")

    def end_of(self, name: str) -> str:
        """How a process ended, for people."""
        code = self._processes[name].poll()
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with code {code}: {self.last_log_line(name)}"

    def last_log_line(self, name: str) -> str:
        """The last line that a service wrote."""
        lines = (
            (self.settings.home / "run" / f"{name}.log").read_text("utf-8", "replace").split("\n")
        )
        return next((line for line in reversed(lines) if line.strip()), "(no output)")

    def ended(self) -> str | None:
        """The name of a service whose process has ended by itself, or None."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                return name
        return None

    def stop_one(self, name: str, *, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """Stop one service and wait for its end."""
        process = self._processes.pop(name)
        if process.poll() is None:
            process.send_signal(with_signal)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """Stop all, those that call others first; an impatient signal cannot leave some behind."""
        with _deaf_to_signals():
            for spec in reversed(self._specs):
                if spec.name in self._processes:
                    self.stop_one(spec.name)


@contextmanager
def running(
    settings: SuiteSettings, *, names: tuple[str, ...] | None = None, is_trained: bool = True
) -> Iterator[Suite]:
    """Run the suite for the length of a `with`.

    Without `is_trained` there is no bundle yet, and it is enough that the processes answer.
    """
    suite = Suite(settings, names=names)
    with interrupted_by_signals():
        try:
            suite.start()
            suite.wait_ready(for_what="traffic" if is_trained else "life")
            yield suite
        finally:
            suite.stop()


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP (a closed terminal) end a command as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handling(interrupt, _ENDING):
        yield


@contextmanager
def _deaf_to_signals() -> Iterator[None]:
    with _handling(signal.SIG_IGN, _ENDING):
        yield


@contextmanager
def _handling(
    handler: Callable[[int, FrameType | None], None] | signal.Handlers,
    numbers: Collection[signal.Signals],
) -> Iterator[None]:
    """Handle these signals so for a while; only the main thread may, others change nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def write_ports(settings: SuiteSettings) -> Path:
    """Write which ports are taken to `run/ports.json`, for those who connect."""
    path = settings.home / "run" / "ports.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    ports = {
        f"{spec.name}{kind}": getattr(settings, f"{spec.name}{kind}_port")
        for spec in SERVICES
        for kind in PORT_KINDS
    }
    path.write_text(json.dumps(ports, indent=2) + "\n")
    return path
