"""The feature store past one machine as a part of the suite that an erasure has to reach."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final, Protocol

from libs.faults import PartUnavailable
from libs.storage.redis.feature_eraser import FeatureEraser
from libs.storage.redis.feature_reader import PART, answered

_LOOK_S: Final = 0.02


class ErasedLog(Protocol):
    """A log that knows where in it a profile was erased."""

    def erased_xid(self, tenant: str, profile_id: str) -> int:
        """The place of the erasure; 0 for none."""
        ...


class FeaturesErasure:
    """Erases a profile once whoever follows the log is past its erasure: nobody writes it then."""

    def __init__(self, log: ErasedLog, eraser: FeatureEraser) -> None:
        self._log = log
        self._eraser = eraser

    @property
    def name(self) -> str:
        """Its name in receipts."""
        return PART

    def close(self) -> None:
        """Close all connections."""
        self._eraser.close()

    async def erase(self, tenant: str, profile_id: str, *, timeout_s: float) -> int:
        """Delete what is held, and have it leave the files; raises PartUnavailable."""
        return await asyncio.to_thread(self._erase, tenant, profile_id, timeout_s)

    async def export(self, tenant: str, profile_id: str) -> AsyncIterator[str]:
        """Nothing: events exports the features itself, from the log."""
        nothing: tuple[str, ...] = ()
        for line in nothing:
            yield line

    def _erase(self, tenant: str, profile_id: str, timeout_s: float) -> int:
        until = time.monotonic() + timeout_s
        erased_xid = self._log.erased_xid(tenant, profile_id)
        with answered():
            while self._eraser.followed_xid() <= erased_xid:
                if time.monotonic() > until:
                    raise PartUnavailable(PART, "they do not follow the log")
                time.sleep(_LOOK_S)
            count = self._eraser.erase(tenant, profile_id)
            if not self._eraser.rewrite_files():
                raise PartUnavailable(PART, "files are being written already")
        return count
