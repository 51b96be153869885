"""The tenants of one process: opened when needed, bounded, kept up to date."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from libs.serving.tenancy import Tenants


@dataclass(eq=False)
class State:
    tenant: str
    is_broken: bool = False
    began: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        self.began.set()
        if self.is_broken:
            raise ZeroDivisionError
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@asynccontextmanager
async def running(tenants: Tenants[State]) -> AsyncIterator[None]:
    task = asyncio.create_task(tenants.run())
    try:
        async with asyncio.timeout(5):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_tenant_is_opened_once_and_kept_up_to_date_before_and_after_the_start() -> None:
    tenants = Tenants(State, most=3)
    before = tenants.of("before")
    async with running(tenants):
        await before.began.wait()
        after = tenants.of("after")
        await after.began.wait()
        assert tenants.of("before") is before
        assert tenants.of("after") is after
    assert before.ended.is_set()
    assert after.ended.is_set()


async def test_one_more_takes_the_place_of_the_one_not_used_for_longest() -> None:
    tenants = Tenants(State, most=2)
    async with running(tenants):
        first, second = tenants.of("a"), tenants.of("b")
        await first.began.wait()
        await second.began.wait()
        tenants.of("a")
        tenants.of("c")
        await second.ended.wait()
        assert [state.tenant for state in tenants.held] == ["a", "c"]
        assert tenants.of("b") is not second
        await first.ended.wait()


async def test_known_tenants_are_opened_only_while_there_is_room() -> None:
    tenants = Tenants(State, most=2)
    tenants.of("z")
    tenants.open_known(["a", "b", "c"])
    assert [state.tenant for state in tenants.held] == ["z", "a"]


async def test_what_keeping_one_raises_ends_all() -> None:
    tenants = Tenants(lambda tenant: State(tenant, is_broken=tenant == "b"), most=2)
    good = tenants.of("a")
    tenants.of("b")
    with pytest.raises(ExceptionGroup):
        await tenants.run()
    assert good.ended.is_set()
