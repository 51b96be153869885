"""Health on a port and a thread of its own, so that it answers whatever the calls are doing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from libs.serving.ports import listen

_STATUS: Final = health_pb2.HealthCheckResponse.ServingStatus

# The threads of gRPC's blocking server need the interpreter a moment each and hold it for none;
# two, so that one probe does not wait for another.
_THREADS: Final = 2

_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 4096),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


@dataclass(frozen=True, slots=True, eq=False)
class HealthServer:
    """grpc.health.v1: "" is the process, a service's name is whether that service is ready."""

    port: int
    servicer: health.HealthServicer
    server: grpc.Server

    def tell(self, service: str, is_ready: bool) -> None:
        """Answer so from now on, and tell those who watch; from any thread."""
        self.servicer.set(service, _STATUS.SERVING if is_ready else _STATUS.NOT_SERVING)

    def close(self) -> None:
        """Stop answering and free the port."""
        self.server.stop(None).wait()


def start_health_server(host: str, port: int) -> HealthServer:
    """Answer on host:port, of the process that it is alive; port 0 takes a free one.

    Raises StartFault when the port is taken.
    """
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="health")
    server = grpc.server(pool, options=_OPTIONS)
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    bound = listen(server, host, port)
    server.start()
    return HealthServer(bound, servicer, server)
