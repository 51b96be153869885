"""Real client processes against a real server, whose answers the tests decide."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from grpc_reflection.v1alpha import reflection
from typer.testing import CliRunner

from cli.__main__ import app
from cli.load.generator import LoadRun, load
from cli.load.plan import LoadPlan
from cli.load.report import figures
from libs.faults import StartFault
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc

CANDIDATES = "reprise.candidates.v1.CandidatesService"
EVENTS = "reprise.events.v1.EventsService"
GET = f"{CANDIDATES}/GetTitles"
NUMBERED = '{"title_ids": ["{{.RequestNumber}}"]}'


class Candidates(candidates_pb2_grpc.CandidatesServiceServicer):
    """Keeps what it was asked; answers only when `crowd` calls are in flight together."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.metadata: set[str] = set()
        self.crowd = 1
        self.status = grpc.StatusCode.OK
        self._is_crowded = asyncio.Event()
        self._in_flight = 0
        self.most_in_flight = 0

    async def GetTitles(self, request: Any, context: Any) -> Any:  # noqa: N802 - the contract's
        self.asked.extend(request.title_ids)
        self.metadata.add(dict(context.invocation_metadata()).get("authorization", ""))
        if self.status is not grpc.StatusCode.OK:
            await context.abort(self.status, "so it is")
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        if self._in_flight >= self.crowd:
            self._is_crowded.set()
        try:
            await self._is_crowded.wait()
        finally:
            self._in_flight -= 1
        return candidates_pb2.GetTitlesResponse()

    async def WatchTitles(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        while True:
            yield candidates_pb2.WatchTitlesResponse()


class Events(events_pb2_grpc.EventsServiceServicer):
    """Counts the messages of streams."""

    def __init__(self) -> None:
        self.streams: list[int] = []

    async def StreamEvents(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        self.streams.append(0)
        async for _ in requests:
            self.streams[-1] += 1
            yield events_pb2.StreamEventsResponse()


class Server:
    """The servicers and where they are served."""

    def __init__(self, candidates: Candidates, events: Events, target: str) -> None:
        self.candidates = candidates
        self.events = events
        self.target = target

    async def load(self, data: str, call: str = GET, **options: Any) -> LoadRun:
        plan = LoadPlan(target=self.target, call=call, **options)
        return await asyncio.to_thread(load, plan, data)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = grpc.aio.server()
    candidates = Candidates()  # type: ignore[abstract]  # no more than is called
    events = Events()  # type: ignore[abstract]
    candidates_pb2_grpc.add_CandidatesServiceServicer_to_server(candidates, server)
    events_pb2_grpc.add_EventsServiceServicer_to_server(events, server)
    reflection.enable_server_reflection((CANDIDATES, EVENTS, reflection.SERVICE_NAME), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Server(candidates, events, f"127.0.0.1:{port}")
    finally:
        await server.stop(None)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


async def test_every_request_of_a_closed_loop_is_sent_once(server: Server) -> None:
    run = await server.load(NUMBERED, total=101, concurrency=5, processes=2, connections=4)
    assert sorted(map(int, server.candidates.asked)) == list(range(101))
    assert figures(run)["statusCodeDistribution"] == {"OK": 101}
    assert (run.calls.ended_s >= run.calls.sent_s).all()


async def test_a_closed_loop_has_no_more_in_flight_than_callers(server: Server) -> None:
    server.candidates.crowd = 2
    run = await server.load(NUMBERED, total=5, concurrency=2, timeout_s=5)
    assert server.candidates.most_in_flight == 2
    assert len(run.calls.codes) == 5


async def test_an_open_loop_sends_by_the_clock_whatever_the_answers_do(server: Server) -> None:
    server.candidates.crowd = 60  # nobody is answered before everybody has asked
    run = await server.load(NUMBERED, total=60, rate=300.0, processes=2, concurrency=1)
    assert np.allclose(run.calls.scheduled_s, np.arange(60) / 300, atol=1e-9)
    assert (run.calls.sent_s >= run.calls.scheduled_s - 1e-6).all()
    assert (run.calls.codes == 0).all()
    # All end together, so the first has waited for as long as the others took to leave.
    assert run.calls.latencies_s[0] - run.calls.latencies_s[-1] > 0.1
    assert figures(run)["offered"] == 60


async def test_a_run_ends_with_its_time(server: Server) -> None:
    run = await server.load(NUMBERED, duration_s=0.3, concurrency=2)
    assert len(run.calls.codes) > 0
    assert run.calls.sent_s.max() < 0.4
    assert run.window_s == 0.3


async def test_a_cancellation_that_nobody_asked_for_is_overload(server: Server) -> None:
    server.candidates.status = grpc.StatusCode.CANCELLED
    value = figures(await server.load(NUMBERED, total=4, concurrency=2))
    assert value["overloaded"] == 4
    assert value["statusCodeDistribution"] == {"Canceled": 4}
    assert value["errorDistribution"] == {"CANCELLED: so it is": 4}


async def test_an_array_is_one_client_stream(server: Server) -> None:
    run = await server.load("[{}, {}, {}]", f"{EVENTS}/StreamEvents", total=2, concurrency=1)
    assert server.events.streams == [3, 3]
    assert (run.calls.codes == 0).all()


async def test_a_server_stream_is_left_after_so_many_messages(server: Server) -> None:
    run = await server.load(
        "{}", f"{CANDIDATES}.WatchTitles", total=3, concurrency=1, answers_per_stream=2
    )
    assert figures(run)["statusCodeDistribution"] == {"OK": 3}


async def test_metadata_goes_with_every_call(server: Server) -> None:
    await server.load(NUMBERED, total=2, concurrency=1, metadata=(("authorization", "Bearer x"),))
    assert server.candidates.metadata == {"Bearer x"}


async def test_a_pinned_generator_says_how_idle_its_core_was(server: Server) -> None:
    core = min(os.sched_getaffinity(0))
    run = await server.load(NUMBERED, duration_s=0.3, concurrency=1, cores=(core,))
    assert 0 <= run.idle_share <= 1


@pytest.mark.parametrize(
    ("call", "data", "text"),
    [
        (f"{CANDIDATES}/GetNothing", "{}", "has no method GetNothing; there are: "),
        ("reprise.nothing.v1.Nothing/Get", "{}", "no service reprise.nothing.v1.Nothing"),
        (GET, '{"titles": 3}', "row 1 of the data is no reprise.candidates.v1.GetTitlesRequest"),
        (GET, '{"title_ids": ["{{.Nothing}}"]}', "no placeholder {{.Nothing}}"),
        (GET, "nonsense", "row 1 of the data"),
    ],
)
async def test_what_cannot_be_sent_is_one_clear_line(
    server: Server, call: str, data: str, text: str
) -> None:
    with pytest.raises(StartFault) as caught:
        await server.load(data, call, total=1)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_core_that_is_not_there_is_refused(server: Server) -> None:
    with pytest.raises(StartFault, match="no core 4096 here"):
        await server.load(NUMBERED, total=1, cores=(4096,))


async def test_the_command_prints_ghz_keys(server: Server) -> None:
    arguments = ("load", GET, "-n", "6", "-c", "2", "-d", NUMBERED, "--target", server.target)
    run = partial(CliRunner().invoke, app)
    value = json.loads((await asyncio.to_thread(run, ["--json", *arguments])).stdout)
    ghz = {
        "date", "endReason", "options", "count", "total", "average", "fastest", "slowest", "rps",
        "errorDistribution", "statusCodeDistribution", "latencyDistribution", "histogram",
    }  # fmt: skip
    assert ghz <= value.keys()
    assert value["count"] == 6
    shown = await asyncio.to_thread(run, list(arguments))
    assert "CandidatesService/GetTitles" in shown.stdout
    assert "OK 6" in shown.stdout
