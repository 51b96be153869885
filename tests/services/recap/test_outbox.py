import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from libs.domain.event import Event, EventKind, Prompt, QuizAnswer
from libs.domain.rejection import Rejection, RejectionReason
from libs.domain.viewing import Device, Surface, ViewingContext
from libs.faults import InvalidField, PartUnavailable
from libs.storage.recap.database import Database, open_file
from libs.storage.recap.outbox_table import add_events
from services.recap.outbox import BATCH_SIZE, Outbox
from tests.made_recap import personal_tables_of, waiting

NOW_MS = 1_760_000_000_000
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


def add(database: Database, *events: Event, tenant: str = "default") -> None:
    with database.write() as connection:
        add_events(connection, tenant, events)


async def test_events_arrive_as_they_were_written_and_are_forgotten(database: Database) -> None:
    answer = Event(
        "e2", "p", EventKind.QUIZ_ANSWER, NOW_MS, 3, "s", "t1", CONTEXT, QuizAnswer("z", "q", "o")
    )
    add(database, shown("e1"), answer)
    log = Log()
    outbox = Outbox(database, log)
    assert await outbox.send_batch()
    assert log.events == {("default", "e1"): shown("e1"), ("default", "e2"): answer}
    assert waiting(database) == []
    assert not await outbox.send_batch()


async def test_what_the_log_did_not_take_is_sent_again(database: Database) -> None:
    add(database, shown("e1"))
    log = Log()
    log.away = 1
    outbox = Outbox(database, log)
    with pytest.raises(PartUnavailable):
        await outbox.send_batch()
    assert [one.event.event_id for one in waiting(database)] == ["e1"]
    assert await outbox.send_batch()
    assert list(log.events) == [("default", "e1")]


async def test_a_batch_is_of_one_tenant_and_bounded(database: Database) -> None:
    add(database, *(shown(f"a{number}") for number in range(BATCH_SIZE + 1)))
    add(database, shown("b1"), tenant="bravo")
    add(database, shown("c1"))
    log = Log()
    outbox = Outbox(database, log)
    while await outbox.send_batch():
        pass
    assert log.batches == [BATCH_SIZE, 2, 1]
    assert ("bravo", "b1") in log.events


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
    assert await Outbox(database, log, counted.append).send_batch()
    assert waiting(database) == []
    assert counted == lost


async def test_a_batch_that_is_refused_for_good_holds_up_nothing(database: Database) -> None:
    add(database, shown("e1"), shown("e2"))
    log = Log()
    log.fault = InvalidField("events", "no")
    counted: list[int] = []
    assert await Outbox(database, log, counted.append).send_batch()
    assert waiting(database) == []
    assert counted == [2]


async def test_it_runs_until_cancelled_and_goes_on_after_a_failure(database: Database) -> None:
    log = Log()
    log.away = 1
    outbox = Outbox(database, log)
    running = asyncio.create_task(outbox.run())
    add(database, shown("e1"))
    outbox.wake()
    async with asyncio.timeout(20):
        await log.arrived.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list(log.events) == [("default", "e1")]


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

    assert await Outbox(database, Erasing()).send_batch()
    assert [one.event.event_id for one in waiting(database)] == ["e3", "e4"]
