import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from libs.domain.event import Event, EventKind, Prompt, QuizAnswer
from libs.domain.rejection import Rejection, RejectionReason
from libs.domain.viewing import Device, Surface, ViewingContext
from libs.faults import InvalidField, PartUnavailable
from libs.storage.recap.database import Database, open_file
from libs.storage.recap.outbox_table import add_events
from services.recap.outbox import BATCH_SIZE, MOST_AT_ONCE, Outbox
from tests.made_recap import personal_tables_of, waiting

NOW_MS = 1_760_000_000_000
TENANT = "default"
CONTEXT = ViewingContext("Asia/Kolkata", Device.PHONE, "IN", "hi", Surface.HOME, True, "8a2a")


class Log:
    """An event log in memory that is away when told so."""

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], Event] = {}
        self.batches: list[int] = []
        self.away = 0
        self.fault: Exception | None = None
        self.rejections: list[Rejection] = []
        self.arrived = asyncio.Event()

    async def record_events(self, tenant: str, events: Sequence[Event]) -> Sequence[Rejection]:
        if self.away:
            self.away -= 1
            raise PartUnavailable("events", "away")
        if self.fault is not None:
            raise self.fault
        self.batches.append(len(events))
        self.events |= {(tenant, event.event_id): event for event in events}
        self.arrived.set()
        return self.rejections


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_file(tmp_path / "recap.sqlite")) as opened:
        yield opened


def shown(event_id: str, profile_id: str = "p") -> Event:
    return Event(
        event_id, profile_id, EventKind.PROMPT_SHOWN, NOW_MS, context=CONTEXT, detail=Prompt("o1")
    )


def add(database: Database, *events: Event, tenant: str = TENANT) -> None:
    with database.write() as connection:
        add_events(connection, tenant, events)


async def test_events_arrive_as_they_were_written_and_are_forgotten(database: Database) -> None:
    answer = Event(
        "e2", "p", EventKind.QUIZ_ANSWER, NOW_MS, 3, "s", "t1", CONTEXT, QuizAnswer("z", "q", "o")
    )
    add(database, shown("e1"), answer)
    log = Log()
    outbox = Outbox(database, log)
    assert await outbox.send_batch(TENANT)
    assert log.events == {(TENANT, "e1"): shown("e1"), (TENANT, "e2"): answer}
    assert waiting(database) == []
    assert not await outbox.send_batch(TENANT)


async def test_what_the_log_did_not_take_is_sent_again(database: Database) -> None:
    add(database, shown("e1"))
    log = Log()
    log.away = 1
    outbox = Outbox(database, log)
    with pytest.raises(PartUnavailable):
        await outbox.send_batch(TENANT)
    assert [one.event.event_id for one in waiting(database)] == ["e1"]
    assert await outbox.send_batch(TENANT)
    assert list(log.events) == [(TENANT, "e1")]


async def test_a_batch_is_of_one_tenant_and_bounded(database: Database) -> None:
    add(database, *(shown(f"a{number}") for number in range(BATCH_SIZE + 1)))
    add(database, shown("b1"), tenant="bravo")
    add(database, shown("c1"))
    log = Log()
    outbox = Outbox(database, log)
    while await outbox.send_batch(TENANT):
        pass
    assert log.batches == [BATCH_SIZE, 2]
    assert ("bravo", "b1") not in log.events
    assert [one.event.event_id for one in waiting(database)] == ["b1"]


@pytest.mark.parametrize(
    ("reason", "lost"),
    [(RejectionReason.ERASED_PROFILE, []), (RejectionReason.INVALID_FIELD, [1])],
)
async def test_what_the_log_rejects_holds_up_nothing(
    database: Database, reason: RejectionReason, lost: list[int]
) -> None:
    counted: list[int] = []
    add(database, shown("e1"), shown("e2"))
    log = Log()
    log.rejections = [Rejection(0, reason, "profile_id", "no")]
    assert await Outbox(database, log, counted.append).send_batch(TENANT)
    assert waiting(database) == []
    assert counted == lost


async def test_a_batch_that_is_refused_for_good_holds_up_nothing(database: Database) -> None:
    add(database, shown("e1"), shown("e2"))
    log = Log()
    log.fault = InvalidField("events", "no")
    counted: list[int] = []
    assert await Outbox(database, log, counted.append).send_batch(TENANT)
    assert waiting(database) == []
    assert counted == [2]


async def test_it_runs_until_cancelled_and_goes_on_after_a_failure(database: Database) -> None:
    log = Log()
    log.away = 1
    outbox = Outbox(database, log)
    async with running(outbox):
        add(database, shown("e1"))
        outbox.wake()
        async with asyncio.timeout(20):
            await log.arrived.wait()
    assert list(log.events) == [(TENANT, "e1")]


async def test_what_is_written_while_a_batch_is_sent_waits_for_the_next_one(
    database: Database,
) -> None:
    add(database, shown("e1"), shown("e2"))
    log = Log()

    class Erasing:
        """A log that takes its time: meanwhile the profile is erased, and another one written."""

        async def record_events(self, tenant: str, events: Sequence[Event]) -> Sequence[Rejection]:
            personal_tables_of(database).erase(tenant, "p")
            add(database, shown("e3", "q"), shown("e4", "q"))
            return await log.record_events(tenant, events)

    assert await Outbox(database, Erasing()).send_batch(TENANT)
    assert [one.event.event_id for one in waiting(database)] == ["e3", "e4"]


class Gate:
    """A log that answers nobody before it is opened, but fails for the tenants that it is to."""

    def __init__(self, *, failing: Sequence[str] = (), held: Sequence[str] = ()) -> None:
        self.failing, self.held = set(failing), set(held)
        self.opened = asyncio.Event()
        self.recorded: list[tuple[str, int]] = []
        self.failures = 0
        self.at_once = self.most_at_once = 0
        self.changed = asyncio.Event()

    async def record_events(self, tenant: str, events: Sequence[Event]) -> Sequence[Rejection]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.changed.set()
        try:
            if tenant in self.failing:
                self.failures += 1
                raise PartUnavailable("events", "away")
            if tenant in self.held:
                await self.opened.wait()
        finally:
            self.at_once -= 1
        self.recorded.append((tenant, len(events)))
        self.changed.set()
        return ()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await self.changed.wait()
                self.changed.clear()


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[None]:
    task = asyncio.create_task(outbox.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("kind", ["failing", "held"])
async def test_a_tenant_whose_events_are_not_taken_delays_no_other(
    database: Database, kind: str
) -> None:
    add(database, shown("a1"), tenant="acme")
    add(database, *(shown(f"b{number}") for number in range(3 * BATCH_SIZE)), tenant="bravo")
    log = Gate(**{kind: ["acme"]})
    async with running(Outbox(database, log)):
        await log.until(lambda: len(log.recorded) == 3)
        assert log.recorded == [("bravo", BATCH_SIZE)] * 3
        add(database, shown("c1"), tenant="charlie")
        log.failing.clear()
        log.opened.set()
        await log.until(lambda: {"acme", "charlie"} <= {tenant for tenant, _ in log.recorded})
    assert waiting(database) == []


async def test_no_more_tenants_than_the_bound_are_sent_for_at_once(database: Database) -> None:
    tenants = [f"tenant{number}" for number in range(2 * MOST_AT_ONCE + 1)]
    for tenant in tenants:
        add(database, shown("e1"), shown("e2"), tenant=tenant)
    log = Gate(held=tenants)
    async with running(Outbox(database, log)):
        await log.until(lambda: log.at_once == MOST_AT_ONCE)
        log.opened.set()
        await log.until(lambda: len(log.recorded) == len(tenants))
    assert sorted(log.recorded) == sorted((tenant, 2) for tenant in tenants)
    assert log.most_at_once == MOST_AT_ONCE
