"""A small service of its own under the harness, and how it is called."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]  # published without stubs
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from libs.faults import InvalidField, NotFound, Overloaded
from libs.serving.application import Application, Mounted, Readiness
from libs.serving.identity import as_everybody
from libs.serving.limits import Limits
from libs.serving.server import Running, running

NAME = "reprise.tests.EchoService"


class Echo:
    """Answers by the request's seconds: a fault, a defect, silence or the request itself."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.poured = 0
        self.ended = asyncio.Event()

    async def say(self, request: Timestamp, context: Any) -> Timestamp:
        match request.seconds:
            case 1:
                raise InvalidField("events[3].rating", "must not be NaN")
            case 2:
                raise Overloaded("calls in flight", retry_after_ms=1500)
            case 3:
                raise ZeroDivisionError("a defect")
            case 4:
                self.entered.set()
                await self.release.wait()
        return request

    async def tell(self, request: Timestamp, context: Any) -> AsyncIterator[Timestamp]:
        for nanos in range(request.nanos):
            yield Timestamp(nanos=nanos)
        if request.seconds == 1:
            raise NotFound("title", "t9")

    async def listen(self, requests: AsyncIterator[Timestamp], context: Any) -> Timestamp:
        return Timestamp(seconds=sum([request.seconds async for request in requests]))

    async def pour(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        try:
            for _ in range(1_000):
                self.poured += 1
                yield bytes(1_000_000)
        finally:
            self.ended.set()

    def mount(self, server: grpc.aio.Server) -> None:
        read, write = Timestamp.FromString, Timestamp.SerializeToString
        server.add_registered_method_handlers(
            NAME,
            {
                "Say": grpc.unary_unary_rpc_method_handler(self.say, read, write),
                "Tell": grpc.unary_stream_rpc_method_handler(self.tell, read, write),
                "Pour": grpc.unary_stream_rpc_method_handler(self.pour),
                "Listen": grpc.stream_unary_rpc_method_handler(self.listen, read, write),
            },
        )


def method(channel: grpc.aio.Channel, kind: str, name: str) -> Any:
    return getattr(channel, kind)(
        f"/{NAME}/{name}", Timestamp.SerializeToString, Timestamp.FromString
    )


def raw(channel: grpc.aio.Channel, kind: str, name: str) -> Any:
    """The method in bytes."""
    return getattr(channel, kind)(f"/{NAME}/{name}")


async def failure(answer: Any) -> tuple[grpc.aio.AioRpcError, dict[str, Any]]:
    """The error of a call, and the details of its status by their types' names."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer
    packed = dict(caught.value.trailing_metadata() or ())["grpc-status-details-bin"]
    found: dict[str, Any] = {}
    for detail in status_pb2.Status.FromString(packed).details:
        kind = detail.type_url.rpartition(".")[2]
        assert kind not in found, "each detail comes once"
        found[kind] = getattr(error_details_pb2, kind)()
        detail.Unpack(found[kind])
    assert found["ErrorInfo"].domain == "reprise"
    return caught.value, found


def served(echo: Echo, limits: Limits) -> AbstractAsyncContextManager[Running]:
    async def build(readiness: Readiness) -> Application:
        await readiness.set(NAME, True)
        return Application((Mounted(NAME, echo.mount),), authorize=as_everybody)

    return running(build, limits=limits)


async def listed(channel: grpc.aio.Channel) -> set[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = [answer async for answer in stub.ServerReflectionInfo(iter([asked]))]
    return {service.name for service in answers[0].list_services_response.service}
