import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from libs.domain.decision import Decision
from libs.domain.rejection import Rejection, RejectionReason
from libs.faults import InvalidField, PartUnavailable
from services.ranking.decision_log import (
    BATCH_BYTES,
    BATCH_SIZE,
    QueuedDecisionLog,
    size_of,
)


class Writer:
    """An events service that can be away, or refuse what it is sent."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, str]] = []
        self.is_away = False
        self.refused: set[str] = set()
        self.rejected: set[str] = set()
        self.batches: list[int] = []
        self.attempted = asyncio.Event()

    async def record_decisions(self, tenant: str, decisions: list[Decision]) -> Sequence[Rejection]:
        self.attempted.set()
        await asyncio.sleep(0)
        self.batches.append(sum(size_of(decision) for decision in decisions))
        if self.is_away:
            raise PartUnavailable("events", "away")
        if any(decision.page_id in self.refused for decision in decisions):
            raise InvalidField("decisions", "refused")
        self.stored.extend(
            (tenant, decision.page_id)
            for decision in decisions
            if decision.page_id not in self.rejected
        )
        return [
            Rejection(place, RejectionReason.INVALID_FIELD, "arm", "is bad")
            for place, decision in enumerate(decisions)
            if decision.page_id in self.rejected
        ]


class Count:
    def __init__(self) -> None:
        self.total = 0

    def __call__(self, count: int, /) -> None:
        self.total += count


def decision(number: int) -> Decision:
    return Decision(f"page-{number}", "p", 1_000, "policy", ("t",), (1.0,))


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def lost() -> Count:
    return Count()


def queue(writer: Writer, lost: Count, capacity: int = 1000) -> QueuedDecisionLog:
    return QueuedDecisionLog(writer, capacity=capacity, linger_ms=0, retry_ms=1, on_lost=lost)


async def run_until(log: QueuedDecisionLog, condition: Callable[[], bool]) -> None:
    task = asyncio.create_task(log.run())
    try:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - the queue tells nobody when it is empty
                await asyncio.sleep(0)
    finally:
        task.cancel()


async def test_writes_everything_in_order_and_in_batches_of_one_tenant(
    writer: Writer, lost: Count
) -> None:
    log = queue(writer, lost, capacity=3 * BATCH_SIZE)
    sent = [("a" if number < BATCH_SIZE + 7 else "b", number) for number in range(2 * BATCH_SIZE)]
    for tenant, number in sent:
        log.log(tenant, decision(number))
    await run_until(log, lambda: log.waiting_count == 0)
    assert writer.stored == [(tenant, f"page-{number}") for tenant, number in sent]
    assert lost.total == 0


async def test_keeps_decisions_while_events_is_away_and_says_so(
    writer: Writer, lost: Count
) -> None:
    log = queue(writer, lost)
    writer.is_away = True
    log.log("a", decision(1))
    await run_until(log, lambda: not log.is_reachable)
    assert log.waiting_count == 1
    writer.is_away = False
    await run_until(log, lambda: True)
    log.log("a", decision(2))
    await run_until(log, lambda: log.waiting_count == 0)
    assert writer.stored == [("a", "page-1"), ("a", "page-2")]
    assert log.is_reachable
    assert lost.total == 0


async def test_counts_what_does_not_fit(writer: Writer, lost: Count) -> None:
    log = queue(writer, lost, capacity=3)
    for number in range(5):
        log.log("a", decision(number))
    assert log.waiting_count == 3
    assert lost.total == 2


async def test_a_refused_batch_is_counted_and_does_not_hold_up_the_rest(
    writer: Writer, lost: Count
) -> None:
    log = queue(writer, lost)
    writer.refused = {"page-1"}
    log.log("a", decision(1))
    log.log("b", decision(2))
    await run_until(log, lambda: log.waiting_count == 0)
    assert writer.stored == [("b", "page-2")]
    assert lost.total == 1


async def test_only_the_decisions_that_are_rejected_are_lost(writer: Writer, lost: Count) -> None:
    log = queue(writer, lost)
    writer.rejected = {"page-1", "page-3"}
    for number in range(5):
        log.log("a", decision(number))
    await run_until(log, lambda: log.waiting_count == 0)
    assert [page_id for _, page_id in writer.stored] == ["page-0", "page-2", "page-4"]
    assert lost.total == 2


async def test_closing_writes_what_is_left(writer: Writer, lost: Count) -> None:
    log = queue(writer, lost)
    log.log("a", decision(1))
    await log.close()
    assert writer.stored == [("a", "page-1")]


async def test_closing_without_events_counts_what_is_lost(writer: Writer, lost: Count) -> None:
    log = queue(writer, lost)
    writer.is_away = True
    log.log("a", decision(1))
    log.log("a", decision(2))
    await log.close()
    assert lost.total == 2
    assert log.waiting_count == 0


async def test_closing_while_a_batch_is_being_written_writes_everything_once(
    writer: Writer, lost: Count
) -> None:
    log = queue(writer, lost, capacity=3 * BATCH_SIZE)
    for number in range(2 * BATCH_SIZE + 1):
        log.log("a", decision(number))
    running = asyncio.create_task(log.run())
    await writer.attempted.wait()
    await log.close()
    assert not running.done()
    running.cancel()
    assert [page for _, page in writer.stored] == [
        f"page-{number}" for number in range(2 * BATCH_SIZE + 1)
    ]
    assert lost.total == 0


async def test_large_slates_go_in_batches_that_events_can_take(writer: Writer, lost: Count) -> None:
    log = queue(writer, lost)
    slate = tuple(f"{number:0128d}" for number in range(500))
    for number in range(40):
        log.log("a", Decision(f"page-{number}", "p", 1_000, "policy", slate, (1.0,) * 500))
    await run_until(log, lambda: log.waiting_count == 0)
    assert len(writer.stored) == 40
    assert len(writer.batches) > 1
    assert max(writer.batches) <= BATCH_BYTES


async def test_what_waits_of_a_profile_is_forgotten_and_not_counted_as_lost(
    writer: Writer, lost: Count
) -> None:
    log = queue(writer, lost)
    gone = replace(decision(1), profile_id="gone")
    for tenant, one in (("a", gone), ("a", decision(2)), ("b", gone)):
        log.log(tenant, one)
    assert log.waiting_of("a", "gone") == [gone]
    assert await log.forget("a", "gone") == 1
    assert await log.forget("a", "gone") == 0
    assert log.waiting_of("a", "gone") == []
    await log.close()
    assert writer.stored == [("a", "page-2"), ("b", "page-1")]
    assert lost.total == 0
