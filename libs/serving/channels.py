"""Channels to the services: how long to try, how often, and what a failure means.

`service_config.json` is gRPC's own way to say so, for a client in any language. Every method may
be tried again: reads change nothing, and writes carry ids that make the same write twice the
same as once. A server that is full or about to stop ends calls as CANCELLED, so that is tried
again too. Throttling allows for the calls that a killed process had in flight, some fifty, and
stops retries while more than about one call in ten fails. A call waits for
a server that is away as long as its deadline allows.
"""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final, TypeVar

import grpc
import grpc.aio

from libs.serving.identity import Metadata
from libs.serving.limits import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES
from libs.serving.status import fault_of
from libs.telemetry.traces import HEADER, current_trace

_OPTIONS: Final = (
    ("grpc.enable_retries", 1),
    ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
    ("grpc.max_send_message_length", MAX_REQUEST_BYTES),
    # A peer that was killed and started again is found within about a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),  # how long one attempt may take, not the wait
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A peer that is gone without a word is noticed within 40 s, also by an open stream.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


def service_config() -> str:
    """The service config, to be set as the channel option "grpc.service_config"."""
    return files("libs.serving").joinpath("service_config.json").read_text("utf-8")


def open_channel(
    target: str, *, connections: int = 1, tls: grpc.ChannelCredentials | None = None
) -> grpc.aio.Channel:
    """A channel to `target` (host:port, or "ipv4:host:port,host:port" for several replicas).

    It connects on the first call and never gives up. A connection stays with the worker that
    took it: calls are spread over the workers of a port by several `connections`.
    """
    options = (*_OPTIONS, ("grpc.service_config", service_config()))
    if connections == 1:
        return _channel(target, options, tls)
    # Without a pool of its own a channel shares the connections of the others.
    own = (*options, ("grpc.use_local_subchannel_pool", 1))
    return Spread([_channel(target, own, tls) for _ in range(connections)])


def _channel(
    target: str, options: Sequence[tuple[str, Any]], tls: grpc.ChannelCredentials | None
) -> grpc.aio.Channel:
    if tls is None:
        return grpc.aio.insecure_channel(target, options=options)
    return grpc.aio.secure_channel(target, tls, options=options)


async def call(
    part: str,
    method: "grpc.aio.UnaryUnaryMultiCallable[RequestT, ResponseT]",
    request: RequestT,
    *,
    timeout_s: float,
    waits: bool = False,
    metadata: Metadata = (),
) -> ResponseT:
    """The answer of a unary method; a failure is raised as the fault that it means.

    `part` names the peer in PartUnavailable and DeadlineSpent, such as "candidates". Whoever
    `waits` gives a peer that is away until the deadline to come back; the others can answer
    without it. The trace of the call that this one is made for goes with it,
    and so does `metadata`, which says who calls.
    Raises also BundleNotLoaded, NotFound, InvalidField and Overloaded.
    """
    trace = current_trace()
    sent = metadata if trace is None else (*metadata, (HEADER, trace.header))
    try:
        return await method(request, timeout=timeout_s, metadata=sent, wait_for_ready=waits)
    except grpc.aio.AioRpcError as error:
        raise fault_of(part, error) from error


class Spread(grpc.aio.Channel):
    """Several channels to one target that take turns, call by call."""

    def __init__(self, channels: Sequence[grpc.aio.Channel]) -> None:
        self._channels = tuple(channels)

    def unary_unary(self, *args: Any, **options: Any) -> Any:
        """A method whose calls take turns."""
        return _Turns([channel.unary_unary(*args, **options) for channel in self._channels])

    def unary_stream(self, *args: Any, **options: Any) -> Any:
        """A method whose calls take turns."""
        return _Turns([channel.unary_stream(*args, **options) for channel in self._channels])

    def stream_unary(self, *args: Any, **options: Any) -> Any:
        """A method whose calls take turns."""
        return _Turns([channel.stream_unary(*args, **options) for channel in self._channels])

    def stream_stream(self, *args: Any, **options: Any) -> Any:
        """A method whose calls take turns."""
        return _Turns([channel.stream_stream(*args, **options) for channel in self._channels])

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """The state of the first channel; all lead to the same place."""
        return self._channels[0].get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait for the first channel to be in another state."""
        await self._channels[0].wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until all are connected."""
        await asyncio.gather(*(channel.channel_ready() for channel in self._channels))

    async def close(self, grace: float | None = None) -> None:
        """Close all; calls under way have `grace` seconds."""
        await asyncio.gather(*(channel.close(grace) for channel in self._channels))

    async def __aenter__(self) -> "Spread":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Turns:
    """One method on several channels."""

    __slots__ = ("_methods", "_turn")

    def __init__(self, methods: Sequence[Any]) -> None:
        self._methods = methods
        self._turn = 0

    def __call__(self, *args: Any, **options: Any) -> Any:
        self._turn = (self._turn + 1) % len(self._methods)
        return self._methods[self._turn](*args, **options)
