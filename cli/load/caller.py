"""Makes one call at a time over the connections of a client process and notes its end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio

from cli.load.job import Job
from cli.load.plan import Tls
from cli.load.requests import Encoded, Requests
from libs.faults import StartFault

CONNECT_S: Final = 10.0
# Texts that each name something of their own would fill the memory; the rest are one.
_MOST_TEXTS: Final = 50
_OTHER: Final = "other errors"

_OPTIONS: Final = (
    # Without a pool of their own, channels to one target share one connection.
    ("grpc.use_local_subchannel_pool", 1),
    # What the server answers is what counts: nothing is tried again behind the generator's back.
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", -1),
)

_OK: Final = 0


def credentials(tls: Tls) -> grpc.ChannelCredentials:
    """The channel credentials of PEM files; raises StartFault for one that cannot be read."""

    def read(path: Path | None) -> bytes | None:
        if path is None:
            return None
        try:
            return path.read_bytes()
        except OSError as error:
            raise StartFault(f"cannot read {path}: {error.strerror}") from error

    return grpc.ssl_channel_credentials(
        read(tls.ca_path), read(tls.key_path), read(tls.certificate_path)
    )


@contextlib.asynccontextmanager
async def open_channels(job: Job) -> AsyncIterator[Sequence[grpc.aio.Channel]]:
    """Connected channels, each with a connection of its own."""
    target, tls = job.plan.target, job.plan.tls
    async with contextlib.AsyncExitStack() as held:
        channels = [
            await held.enter_async_context(
                grpc.aio.insecure_channel(target, options=_OPTIONS)
                if tls is None
                else grpc.aio.secure_channel(target, credentials(tls), options=_OPTIONS)
            )
            for _ in range(job.connections)
        ]
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.gather(*(channel.channel_ready() for channel in channels))
        except TimeoutError:
            raise StartFault(f"no connection to {target} within {CONNECT_S:.0f} s") from None
        yield channels


class Caller:
    """Calls the method of a job; `rows` grows by one for each call, `errors` by its text."""

    def __init__(
        self, job: Job, channels: Sequence[grpc.aio.Channel], requests: Requests, start_s: float
    ) -> None:
        self.rows: list[tuple[float, float, float, int]] = []
        self.errors: dict[str, int] = {}
        self._requests = requests
        self._start_s = start_s
        self._timeout_s = job.plan.timeout_s
        self._metadata = job.plan.metadata or None
        self._most_answers = job.plan.answers_per_stream
        self._step = job.plan.processes
        method = job.method
        kind = "_".join(
            "stream" if streams else "unary"
            for streams in (method.is_client_streaming, method.is_server_streaming)
        )
        # Bytes in, bytes out: answers are not decoded.
        self._methods: list[Any] = [getattr(channel, kind)(method.path) for channel in channels]
        self._is_client_streaming = method.is_client_streaming
        self._is_server_streaming = method.is_server_streaming

    async def call(self, number: int, scheduled_s: float) -> None:
        """Make the call with this number; its latency counts from `scheduled_s`."""
        method = self._methods[number // self._step % len(self._methods)]
        encoded = self._requests.encode(number)
        sent_s = time.monotonic()
        code = _OK
        try:
            request = _stream(encoded) if self._is_client_streaming else encoded[0]
            call = method(request, timeout=self._timeout_s, metadata=self._metadata)
            if self._is_server_streaming:
                await self._read(call)
            else:
                await call
        except grpc.aio.AioRpcError as error:
            code = int(error.code().value[0])
            self._note(error)
        start_s = self._start_s
        self.rows.append(
            (scheduled_s - start_s, sent_s - start_s, time.monotonic() - start_s, code)
        )

    async def _read(self, call: Any) -> None:
        count = 0
        async for _ in call:
            count += 1
            if count == self._most_answers:
                call.cancel()
                return

    def _note(self, error: grpc.aio.AioRpcError) -> None:
        text = f"{error.code().name}: {error.details() or 'no details'}"
        if text not in self.errors and len(self.errors) >= _MOST_TEXTS:
            text = _OTHER
        self.errors[text] = self.errors.get(text, 0) + 1


async def _stream(messages: Encoded) -> AsyncIterator[bytes]:
    for message in messages:
        yield message
