"""What every service counts, in a registry of its own, and the port it is read from.

Processes that share a port share their metrics: each is started with MULTIPROCESS_VARIABLE in
its environment and counts in files of that folder, and their parent adds them up when asked.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector

from libs.faults import StartFault

# prometheus_client reads it when it is imported.
MULTIPROCESS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

# Calls take from 0.1 ms (a read of memory) to seconds (a replay of the log).
_SECONDS: Final = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class ServiceMetrics:
    """The counters of one process; labels are bounded: never an id."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    handled: Counter = field(init=False)
    repeated: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    degraded: Counter = field(init=False)

    def __post_init__(self) -> None:
        ProcessCollector(registry=self.registry)
        object.__setattr__(
            self,
            "handled",
            Counter(
                "reprise_rpc_handled",
                "Calls answered, by method and status code.",
                ("method", "code"),
                registry=self.registry,
            ),
        )
        object.__setattr__(
            self,
            "repeated",
            Counter(
                "reprise_rpc_repeated",
                "Calls that were an attempt after the first, by the client's service config.",
                ("method",),
                registry=self.registry,
            ),
        )
        object.__setattr__(
            self,
            "seconds",
            Histogram(
                "reprise_rpc_handling_seconds",
                "From the decoded request to the answer; of a stream, its whole life.",
                ("method",),
                buckets=_SECONDS,
                registry=self.registry,
            ),
        )
        object.__setattr__(
            self,
            "degraded",
            Counter(
                "reprise_degraded",
                "Answers made without a part of the suite, by part.",
                ("part",),
                registry=self.registry,
            ),
        )

    def count_degraded(self, parts: tuple[str, ...]) -> None:
        """Count one answer that was made without `parts`, such as "TITLE_FEATURES"."""
        for part in parts:
            self.degraded.labels(part).inc()


def shared_registry(folder: Path) -> CollectorRegistry:
    """The sum of what all processes have counted that write to `folder`."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return registry


@dataclass(frozen=True, slots=True, eq=False)
class MetricsServer:
    """An open metrics port."""

    port: int
    server: WSGIServer

    def close(self) -> None:
        """Stop answering and free the port."""
        self.server.shutdown()
        self.server.server_close()


def start_metrics_server(host: str, port: int, registry: CollectorRegistry) -> MetricsServer:
    """Answer Prometheus on http://host:port/metrics from a thread; port 0 takes a free one.

    Raises StartFault when the port is taken.
    """
    try:
        server, _ = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise StartFault(f"cannot listen for metrics on {host}:{port}: {error.strerror}") from error
    return MetricsServer(server.server_port, server)
