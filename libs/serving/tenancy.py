"""What a service holds in memory for each tenant: opened when first needed, kept while used."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar


class TenantState(Protocol):
    """One tenant's part of a service."""

    async def run(self) -> None:
        """Keep it up to date until cancelled."""
        ...


StateT = TypeVar("StateT", bound=TenantState)


class Tenants(Generic[StateT]):
    """The tenants of one process; belongs to one event loop.

    At most `most` are held: one more takes the place of the one that was not used for longest,
    which is opened again when it is. Calls under way keep what they have begun with.
    """

    def __init__(self, open_state: Callable[[str], StateT], *, most: int) -> None:
        self._open_state = open_state
        self._most = most
        self._held: OrderedDict[str, StateT] = OrderedDict()
        self._work: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    def of(self, tenant: str) -> StateT:
        """The tenant's state; at the first call it is new, and knows nothing yet."""
        if tenant not in self._held:
            self._held[tenant] = self._open_state(tenant)
            self._start(tenant)
            if len(self._held) > self._most:
                self._drop(next(iter(self._held)))
        self._held.move_to_end(tenant)
        return self._held[tenant]

    @property
    def held(self) -> tuple[StateT, ...]:
        """Those in memory."""
        return tuple(self._held.values())

    def open_known(self, tenants: Iterable[str]) -> None:
        """Open those of `tenants` that there is room for, so that their first call finds them."""
        for tenant in tenants:
            if tenant not in self._held and len(self._held) < self._most:
                self.of(tenant)

    async def run(self) -> None:
        """Keep all up to date until cancelled; raises what keeping one of them raises."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for tenant in self._held:
                    self._start(tenant)
                await asyncio.Event().wait()
        finally:
            self._group = None

    def _start(self, tenant: str) -> None:
        if self._group is not None:
            self._work[tenant] = self._group.create_task(self._held[tenant].run())

    def _drop(self, tenant: str) -> None:
        del self._held[tenant]
        work = self._work.pop(tenant, None)
        if work is not None:
            work.cancel()
