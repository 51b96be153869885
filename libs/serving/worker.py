"""The link between a worker and the process that started it: one JSON object a line, one way.

The parent says nothing: its end of the link closing is what a worker listens for.
"""

import json
import socket
from dataclasses import dataclass

from libs.serving.plan import Seat


@dataclass(frozen=True, slots=True)
class Said:
    """A line of a worker: the port that it has joined, or whether a service of it is ready."""

    port: int = 0
    service: str = ""
    is_ready: bool = False

    def encode(self) -> bytes:
        """The line."""
        words = {"port": self.port, "service": self.service, "is_ready": self.is_ready}
        return json.dumps(words).encode() + b"\n"

    @staticmethod
    def decode(line: bytes) -> "Said":
        """What a line says."""
        return Said(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Link:
    """A worker's end."""

    socket: socket.socket

    @staticmethod
    def of(seat: Seat) -> "Link":
        """The end that the worker was started with."""
        return Link(socket.socket(fileno=seat.link))

    def tell_listening(self, port: int) -> None:
        """Say that the worker answers on `port` now."""
        self._say(Said(port=port))

    def tell_ready(self, service: str, is_ready: bool) -> None:
        """Say whether a service can answer here."""
        self._say(Said(service=service, is_ready=is_ready))

    def _say(self, said: Said) -> None:
        try:
            self.socket.sendall(said.encode())
        except (BrokenPipeError, ConnectionResetError):
            return  # the parent is gone, and this process about to stop
