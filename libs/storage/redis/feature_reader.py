"""The feature store as other services read it from Redis."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import numpy as np
import redis

from libs.domain.profile import Profile
from libs.faults import DeadlineSpent, PartUnavailable
from libs.features.counters import decode_counters
from libs.features.profile_state import ProfileState
from libs.features.title_counters import TITLE_COUNTER_COUNT
from libs.features.title_table import TitleChanges
from libs.storage.redis.client import AsyncClient, Client, close_client
from libs.storage.redis.keys import (
    FOLLOWED,
    changes_key,
    marker_key,
    profile_key,
    title_of,
    titles_key,
)
from libs.storage.redis.profile_hash import decode_hash

PART: Final = "features"

# A tenant's counters are read in pieces: what is read as one keeps all others waiting.
_READ_AT_ONCE: Final = 2_000


class RedisProfiles:
    """Profiles of now in one read; for one event loop."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def profile(
        self, tenant: str, profile_id: str, *, timeout_s: float
    ) -> tuple[Profile | None, ProfileState] | None:
        """The stored profile, if there is one, and its features; None for one not held here.

        Raises PartUnavailable when the store cannot be read, or is not filled yet and does not
        hold the profile; DeadlineSpent when that took too long.
        """
        try:
            async with asyncio.timeout(timeout_s):
                with answered():
                    fields = await self._client.hgetall(profile_key(tenant, profile_id))
                    if fields:
                        return decode_hash(cast("dict[bytes, bytes]", fields))
                    _check_ready(await self._client.hget(FOLLOWED, "ready"))
                    return None
        except TimeoutError:
            raise DeadlineSpent(PART) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class RedisTitles:
    """Title counters as they change; for one thread at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def title_changes(self, tenant: str, after_change: int) -> TitleChanges:
        """The title counters that changed after that change; 0 reads them all.

        Raises PartUnavailable while the store cannot be read or is being filled.
        """
        with answered():
            _check_ready(self._client.hget(FOLLOWED, "ready"))
            applied = self._client.hget(marker_key(tenant), "applied")
            # Another database counts anew, after what an old one was restored to.
            from_change = after_change if int(applied or 0) >= after_change else 0
            found = cast(
                "list[tuple[bytes, float]]",
                self._client.zrangebyscore(
                    changes_key(tenant), f"({from_change}", "+inf", withscores=True
                ),
            )
            fields = [field for field, _ in found]
            data: list[bytes | None] = []
            for start in range(0, len(fields), _READ_AT_ONCE):
                some = fields[start : start + _READ_AT_ONCE]
                values = self._client.hmget(titles_key(tenant), some)
                data.extend(cast("list[bytes | None]", values))
        return changes_of(fields, data, int(found[-1][1]) if found else after_change)

    def close(self) -> None:
        """Close all connections."""
        close_client(self._client)


def changes_of(fields: list[bytes], data: list[bytes | None], last_change: int) -> TitleChanges:
    """Changes from the fields of a tenant's hash; those without data are left out."""
    held = [(field, value) for field, value in zip(fields, data, strict=True) if value is not None]
    parts = [decode_counters(value) for _, value in held]
    names = [title_of(field) for field, _ in held]
    return TitleChanges(
        countries=tuple([country for country, _ in names]),
        title_ids=tuple([title_id for _, title_id in names]),
        counters=np.array([part.values for part in parts]).reshape(-1, TITLE_COUNTER_COUNT),
        at_ms=np.array([part.at_ms for part in parts], np.int64),
        last_change=last_change,
    )


@contextmanager
def answered() -> Iterator[None]:
    """Raise PartUnavailable for what keeps Redis from answering."""
    try:
        yield
    except (redis.RedisError, OSError) as error:
        if isinstance(error, TimeoutError) and not isinstance(error, redis.RedisError):
            raise  # the caller's own
        raise PartUnavailable(PART, " ".join(str(error).split()) or type(error).__name__) from error


def _check_ready(flag: Any) -> None:
    if flag != b"1":
        raise PartUnavailable(PART, "they are being rebuilt from the log")
