"""Pictures made beside the service: resvg holds Python's lock for as long as it draws.

A process of its own paints one picture after the other; it is started when the first one is
wanted, and anew when it has died; what two of them die of is not painted. What it has made is
kept, within bounds.
"""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, TypeAlias

from libs.faults import Overloaded, PartUnavailable
from services.recap.share.images.picture import Format
from services.recap.share.images.worker import LENGTH, ask
from services.recap.share.shared_card import SharedCard

PART: Final = "painter"
WORKER: Final = ("-m", "services.recap.share.images.worker")

# A picture takes a tenth of a second; a process that takes so long is stuck.
_PATIENCE_S: Final = 20.0
_MOST_WAITING: Final = 32
_RETRY_MS: Final = 1_000
_MOST_KEPT_BYTES: Final = 32 * 2**20

_Key: TypeAlias = bytes


def _uncounted(outcome: str) -> None:
    """Count nothing."""


class Pictures:
    """Pictures of cards; the same card gives the same bytes.

    `count` is told what becomes of each that is asked for: "kept" is one that was made before,
    "joined" one that is being made, "refused" one too many; of those made, "painted" or "failed".
    """

    def __init__(
        self,
        command: tuple[str, ...] = (sys.executable, *WORKER),
        *,
        count: Callable[[str], None] = _uncounted,
    ) -> None:
        self._command = command
        self._count = count
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._making: dict[_Key, asyncio.Task[bytes]] = {}
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._kept_bytes = 0

    async def picture(
        self, card: SharedCard, display_name: str, format: Format, *, is_png: bool
    ) -> bytes:
        """One picture; raises Overloaded, and PartUnavailable when it cannot be painted."""
        line = ask(card, display_name, format, is_png=is_png)
        if line in self._kept:
            self._kept.move_to_end(line)
            self._count("kept")
            return self._kept[line]
        making = self._making.get(line)
        if making is not None:
            self._count("joined")
        else:
            if len(self._making) >= _MOST_WAITING:
                self._count("refused")
                raise Overloaded("pictures that wait", retry_after_ms=_RETRY_MS)
            making = self._making[line] = asyncio.create_task(self._made(line))
            making.add_done_callback(lambda task: self._done(line, task))
        # Whoever stops waiting leaves it to others: half an answer would be in the way.
        return await asyncio.shield(making)

    async def close(self) -> None:
        """End the process and whatever it is painting."""
        for making in tuple(self._making.values()):
            making.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)
        await self._end()

    async def _made(self, line: bytes) -> bytes:
        async with self._turn:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    return await self._asked(line)
            except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
                await self._end()
                raise PartUnavailable(PART, type(error).__name__) from error
            except asyncio.CancelledError:
                await self._end()
                raise

    async def _asked(self, line: bytes) -> bytes:
        """The picture; of a painter that has died since its last picture a new one is asked."""
        is_fresh = self._process is None
        try:
            return await self._answered(line)
        except (OSError, asyncio.IncompleteReadError):
            if is_fresh:
                raise
        await self._end()
        return await self._answered(line)

    async def _answered(self, line: bytes) -> bytes:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # Ctrl-C is for the service, which then closes its input.
                start_new_session=True,
            )
        source, target = self._process.stdout, self._process.stdin
        if source is None or target is None:
            raise OSError("the painter has no pipes")
        target.write(line)
        await target.drain()
        (length,) = LENGTH.unpack(await source.readexactly(LENGTH.size))
        return await source.readexactly(length)

    def _done(self, line: bytes, making: asyncio.Task[bytes]) -> None:
        del self._making[line]
        if making.cancelled():
            return
        if making.exception() is not None:
            self._count("failed")
            return
        self._count("painted")
        self._kept[line] = making.result()
        self._kept_bytes += len(line) + len(making.result())
        while self._kept_bytes > _MOST_KEPT_BYTES:
            oldest, picture = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest) + len(picture)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()
