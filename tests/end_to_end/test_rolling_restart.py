"""Every service is restarted under load, and no call of a client with the service config fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cli.suite import Suite, target, with_free_ports
from libs.faults import Fault
from libs.serving.channels import call, open_channel
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from tests.end_to_end.conftest import Home

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

CALLERS = 4
# More than a restart takes on a busy machine.
DEADLINE_S = 60


@dataclass
class Outcomes:
    """What became of the calls of a load."""

    answered: int = 0
    failed: list[Fault] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def note(self, fault: Fault | None = None) -> None:
        """Count a call that was answered, or keep why it was not."""
        async with self.changed:
            if fault is None:
                self.answered += 1
            else:
                self.failed.append(fault)
            self.changed.notify_all()

    async def more(self, count: int) -> None:
        """Wait until so many more calls were answered, or one was not."""
        wanted = self.answered + count
        async with asyncio.timeout(DEADLINE_S), self.changed:
            await self.changed.wait_for(lambda: self.answered >= wanted or self.failed)


@contextlib.asynccontextmanager
async def load(ask: Callable[[int], Awaitable[object]]) -> AsyncIterator[Outcomes]:
    """CALLERS who ask one question after another, each with a number of its own, until the end."""
    outcomes = Outcomes()
    is_over = asyncio.Event()

    async def caller(place: int) -> None:
        number = place
        while not is_over.is_set():
            try:
                await ask(number)
                await outcomes.note()
            except Fault as fault:
                await outcomes.note(fault)
            number += CALLERS

    async with asyncio.TaskGroup() as group:
        for place in range(CALLERS):
            group.create_task(caller(place))
        await outcomes.more(50)
        yield outcomes
        await outcomes.more(50)
        is_over.set()


async def restart(suite: Suite, name: str) -> None:
    await asyncio.to_thread(suite.stop_one, name)
    suite.start_one(name)
    await asyncio.to_thread(suite.wait_ready, (name,), within_s=DEADLINE_S)


def other_replica(suite: Suite, name: str) -> Suite:
    """The same service once more, on ports of its own."""
    free = with_free_ports(suite.settings)
    own = {
        key: value
        for key, value in free.model_dump().items()
        if key.startswith(f"{name}_") and key.endswith(("_port", "_target"))
    }
    return Suite(suite.settings.model_copy(update=own), names=(name,))


async def test_a_stateless_service_by_overlapping_replicas(
    breakable: tuple[Home, Suite],
) -> None:
    _, suite = breakable
    suite.start()
    other = other_replica(suite, "ranking")
    try:
        other.start()
        suite.wait_ready()
        other.wait_ready()
        addresses = ",".join(target(one.settings, "ranking") for one in (suite, other))
        async with open_channel(f"ipv4:{addresses}") as channel:
            recommend = ranking_pb2_grpc.RankingServiceStub(channel).Recommend

            async def ask(number: int) -> None:
                request = ranking_pb2.RecommendRequest(profile_id=f"p{number % 600:06d}")
                answer = await call("ranking", recommend, request, timeout_s=DEADLINE_S, waits=True)
                assert len(set(answer.title_ids)) == 20

            async with load(ask) as outcomes:
                for one in (suite, other):
                    await restart(one, "ranking")
                    await outcomes.more(50)
            assert outcomes.failed == []
    finally:
        other.stop()


async def test_the_writer_of_events_by_idempotent_retry(breakable: tuple[Home, Suite]) -> None:
    _, suite = breakable
    suite.start_one("events")
    suite.wait_ready(("events",))
    async with open_channel(target(suite.settings, "events")) as channel:
        stub = events_pb2_grpc.EventsServiceStub(channel)

        async def ask(number: int) -> None:
            event = events_pb2.Event(
                event_id=f"restart-{number}",
                profile_id="p000001",
                kind=events_pb2.EVENT_KIND_LOGIN,
                occurred_at=Timestamp(seconds=1_700_000_000 + number),
            )
            await call(
                "events",
                stub.RecordEvents,
                events_pb2.RecordEventsRequest(events=[event]),
                timeout_s=DEADLINE_S,
                waits=True,
            )

        async with load(ask) as outcomes:
            await restart(suite, "events")
        assert outcomes.failed == []


async def test_candidates_by_waiting_while_recommend_goes_on(
    breakable: tuple[Home, Suite],
) -> None:
    _, suite = breakable
    suite.start()
    suite.wait_ready()
    async with (
        open_channel(target(suite.settings, "candidates")) as candidates,
        open_channel(target(suite.settings, "ranking")) as ranking,
    ):
        status = candidates_pb2_grpc.CandidatesServiceStub(candidates).GetIndexStatus
        recommend = ranking_pb2_grpc.RankingServiceStub(ranking).Recommend

        async def ask(number: int) -> None:
            if number % 2:
                question = candidates_pb2.GetIndexStatusRequest()
                await call("candidates", status, question, timeout_s=DEADLINE_S, waits=True)
            else:
                request = ranking_pb2.RecommendRequest(profile_id=f"p{number % 600:06d}")
                answer = await call("ranking", recommend, request, timeout_s=5, waits=True)
                assert len(set(answer.title_ids)) == 20

        async with load(ask) as outcomes:
            await restart(suite, "candidates")
        assert outcomes.failed == []
