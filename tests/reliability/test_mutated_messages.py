"""Thousands of wrong messages against every service: nothing breaks, hangs or grows."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, cast

import grpc
import grpc.aio
import psutil
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from libs.serving.authorization import ALLOWED
from reprise.events.v1 import events_pb2
from reprise.recap.v1 import recap_pb2
from tests.made_share import made_share
from tests.made_suite import Served, fill, served
from tests.reliability.made_requests import answer_of, requests_of
from tests.reliability.mutation import mutated

SEED: Final = 20_261_121
# Few enough that the harness refuses none for being too many: that is another test.
AT_ONCE: Final = 4
# Far above what any of them takes: what has no answer by then hangs.
HANGS_S: Final = 60.0
# What the allocator and SQLite's page cache may take once everything has been called.
GROWTH_BYTES: Final = 64 * 2**20

CODES: Final = frozenset({grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT})
# What a well-formed message may also be told, when it names something that is not there.
ALSO: Final[Mapping[str, frozenset[grpc.StatusCode]]] = {
    "FindSimilarTitles": frozenset({grpc.StatusCode.NOT_FOUND}),
    "RetrieveCandidates": frozenset({grpc.StatusCode.FAILED_PRECONDITION}),
    # Of a quiz that nobody has played.
    "PreviewShare": frozenset({grpc.StatusCode.NOT_FOUND}),
    # Of another content, of a profile without consent, or for anything else than was previewed.
    "CreateShare": frozenset({grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND}),
    "GetShared": frozenset({grpc.StatusCode.NOT_FOUND}),
    "GetStoryRecap": frozenset({grpc.StatusCode.NOT_FOUND}),
    "DismissQuiz": frozenset({grpc.StatusCode.NOT_FOUND}),
    "StartQuiz": frozenset({grpc.StatusCode.NOT_FOUND}),
}


def is_of(method: str, service: str) -> bool:
    """Whether a method is of that package, or of that service of a package that has several."""
    return method.startswith((f"/reprise.{service}.", f"/reprise.{service}/"))


class Attack:
    """One service under mutated messages, and how it answered them."""

    def __init__(self, suite: Served, service: str, requests: Mapping[str, Message]) -> None:
        self._suite = suite
        self._methods = sorted(method for method in ALLOWED if is_of(method, service))
        self._requests = requests
        self._random = Random(f"{SEED} {service}")
        self.codes: Counter[str] = Counter()
        # Messages of which a batch was taken without some of its items.
        self.rejected = 0

    async def run(self, count: int) -> None:
        """Send `count` messages, some at once."""
        for _ in range(0, count, AT_ONCE):
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._send(*self._next()))

    def _next(self) -> tuple[str, list[bytes]]:
        method = self._random.choice(self._methods)
        request = self._requests[method.rpartition("/")[2]]
        count = self._random.randint(1, 3) if method.endswith("StreamEvents") else 1
        return method, [mutated(request, self._random) for _ in range(count)]

    async def _send(self, method: str, messages: Sequence[bytes]) -> None:
        code, details, answer = await outcome(self._suite, method, messages)
        name = method.rpartition("/")[2]
        self.rejected += bool(getattr(answer, "rejections", ()))
        self.codes[f"{name} {code.name}"] += 1
        assert code in CODES | ALSO.get(name, frozenset()), (
            f"{method} answered {code.name} ({details}) to {[one[:400] for one in messages]!r}"
        )


async def outcome(
    suite: Served, method: str, messages: Sequence[bytes]
) -> tuple[grpc.StatusCode, str, Message | None]:
    """How a method answers raw bytes; of a stream without end, the first answer."""
    service, name = method[1:].split("/")
    described = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    channel = suite.of(method)
    read = GetMessageClass(described.output_type).FromString
    answer: Any = None
    try:
        if described.client_streaming:
            answer = await exchanged(
                channel.stream_stream(method, response_deserializer=read), messages
            )
        elif described.server_streaming:
            many: Any = channel.unary_stream(method, response_deserializer=read)
            answers = many(messages[0], timeout=HANGS_S)
            answer = await answers.read()
            answers.cancel()
        else:
            one: Any = channel.unary_unary(method, response_deserializer=read)
            answer = await one(messages[0], timeout=HANGS_S)
    except grpc.aio.AioRpcError as error:
        return error.code(), str(error.details()), None
    return grpc.StatusCode.OK, "", answer


async def exchanged(method: Any, messages: Sequence[bytes]) -> Message | None:
    """The last answer to messages that are sent one by one, each after the answer before.

    gRPC's own client says INTERNAL, now and then, where a stream ends while it still sends.
    """
    stream, answer = method(timeout=HANGS_S), None
    for message in messages:
        await stream.write(message)
        answer = await stream.read()
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    return cast("Message | None", answer)


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[tuple[Served, dict[str, Message]]]:
    version = fill(tmp_path, "default", "")
    async with served(tmp_path) as started:
        requests = requests_of(version) | await made_share(started)
        requests["AnswerQuizQuestion"] = await answer_of(started, requests["StartQuiz"])
        yield started, requests


def resident_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


@pytest.mark.parametrize(
    "service",
    [
        *("events", "candidates", "ranking", "privacy"),
        *(
            "recap.v1.RecapService",
            "recap.v1.StoryService",
            "recap.v1.ShareService",
            "recap.v1.QuizService",
        ),
    ],
)
async def test_no_message_breaks_a_service(
    suite: tuple[Served, dict[str, Message]], service: str, message_count: int
) -> None:
    started, requests = suite
    attack = Attack(started, service, requests)
    await attack.run(message_count // 4)
    before = resident_bytes()
    await attack.run(message_count - message_count // 4)
    grown = resident_bytes() - before
    assert grown < GROWTH_BYTES, f"{grown / 2**20:.0f} MiB more"
    refused = sum(count for code, count in attack.codes.items() if "INVALID" in code)
    refused += attack.rejected
    assert refused > message_count / 10, "the messages were not wrong enough"
    for method in ALLOWED:
        if is_of(method, service):
            message = requests[method.rpartition("/")[2]]
            if isinstance(message, events_pb2.UpsertProfilesRequest):
                # A mutated message may have had the other profile erased, for good.
                message.profiles[0].profile_id = "nobody yet"
            elif isinstance(message, recap_pb2.RecordRecapsRequest):
                # Or have begun a run of that name with another cutoff.
                message.run_id = "not begun yet"
            code, details, _ = await outcome(started, method, [message.SerializeToString()])
            assert code is grpc.StatusCode.OK, f"{method} afterwards: {code.name} {details}"
