"""What a composition root hands to the harness: its services, its background work, its end."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeAlias

import grpc.aio

from libs.serving.identity import Authorize


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


def _tell_nobody(service: str, is_ready: bool) -> None:
    """Readiness of a server whose health nobody asks for."""


class Readiness:
    """Says of each service by its full name whether it can answer; one never named cannot.

    `tell` hears every change, such as the health port.
    """

    def __init__(self, tell: Callable[[str, bool], None] = _tell_nobody) -> None:
        self._tell = tell
        self._states: dict[str, bool] = {}
        self._changed = asyncio.Event()
        self._is_withdrawn = False
        # Set when the process stops: streams without an end are to end then.
        self.draining = asyncio.Event()

    async def set(self, service: str, is_ready: bool) -> None:
        """Note the state of a service."""
        if self._is_withdrawn or self._states.get(service) == is_ready:
            return
        self._states[service] = is_ready
        self._tell(service, is_ready)
        self._changed.set()
        self._changed = asyncio.Event()

    def is_ready(self, service: str) -> bool:
        """Whether a service can answer."""
        return self._states.get(service, False)

    async def withdraw(self) -> None:
        """Say of every service, from now on and whatever else is set, that it is not ready."""
        for service in self._states:
            await self.set(service, False)
        self._is_withdrawn = True

    async def wait_until_ready(self) -> None:
        """Wait until every service that was ever named is ready."""
        while not all(self._states.values()):
            await self._changed.wait()


Build: TypeAlias = Callable[[Readiness], Awaitable[Application]]
