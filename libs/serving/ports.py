"""Taking a port: alone, or held for several processes that share it."""

import socket
from typing import Protocol

import grpc

from libs.faults import StartFault


class Listening(Protocol):
    """A gRPC server, of either kind, before it is started."""

    def add_insecure_port(self, address: str) -> int:
        """Listen there; returns the port."""
        ...

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """Listen there by TLS; returns the port."""
        ...


def listen(
    server: Listening, host: str, port: int, tls: grpc.ServerCredentials | None = None
) -> int:
    """Let `server` listen on host:port alone; returns the port. Raises StartFault."""
    # Tried with a plain socket first: gRPC does not tell why, and writes lines of its own.
    try:
        socket.create_server((host, port), family=_family(host)).close()
        return join(server, host, port, tls)
    except (OSError, RuntimeError) as error:
        raise _cannot_listen(host, port, error) from error


def join(server: Listening, host: str, port: int, tls: grpc.ServerCredentials | None = None) -> int:
    """Let `server` listen beside others that share the port, if its options say so."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (
        server.add_insecure_port(address) if tls is None else server.add_secure_port(address, tls)
    )


def hold(host: str, port: int) -> socket.socket:
    """Take a port that nobody listens on for processes that will share it; port 0 a free one.

    The socket never listens: as long as it is open nobody else gets the port, and all
    connections go to those who joined. Raises StartFault when the port is taken.
    """
    held = socket.socket(_family(host), socket.SOCK_STREAM)
    try:
        # Without SO_REUSEPORT, which would also let in a stranger who has set it.
        socket.create_server((host, port), family=_family(host)).close()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))
    except OSError as error:
        held.close()
        raise _cannot_listen(host, port, error) from error
    return held


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _cannot_listen(host: str, port: int, error: Exception) -> StartFault:
    cause = error.strerror if isinstance(error, OSError) and error.strerror else error
    return StartFault(f"cannot listen on {host}:{port}: {cause}")
