"""Ports of the loopback interface that nobody listens on now."""

import contextlib
import socket


def free_port(most: int = 65_535) -> int:
    """One, of at most that number."""
    while True:
        [port] = free_ports(1)
        if port <= most:
            return port


def free_ports(count: int) -> list[int]:
    """So many different ones."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for taken in sockets:
            taken.bind(("127.0.0.1", 0))
        return [int(taken.getsockname()[1]) for taken in sockets]
