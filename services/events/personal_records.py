"""All that is held about one profile: exported whole, erased everywhere.

An erasure is durable here first: from then on nothing is told of the profile. What is held goes a
little at a time, between the commits of those who write, and the other services follow, in the
call as far as its time goes and after it until each has confirmed. How far both are is in the
store, so that another process goes on where this one ended.
"""

import asyncio
import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import structlog
from google.protobuf.json_format import MessageToDict

from libs.domain.erasure import Erasure, ServiceErasure
from libs.faults import Fault
from libs.features.profile_state import PROFILE_COUNTER_NAMES, ProfileState
from libs.serving.profile_codec import profile_message
from libs.storage.removal import STEP_ROWS
from services.events.events_codec import event_message
from services.events.group_commit import GroupCommit
from services.events.ports import EventStore

# Of a page of history, and of the lines of one message.
PAGE: Final = 500
ERASE_S: Final = 2.0
RETRY_S: Final = 10.0

ResultT = TypeVar("ResultT")

log = structlog.get_logger(__name__)


class PersonalDataService(Protocol):
    """Another service that holds something about profiles."""

    @property
    def name(self) -> str:
        """Its name in receipts, such as "ranking"."""
        ...

    async def erase(self, tenant: str, profile_id: str, *, timeout_s: float) -> int:
        """Delete all that it holds; how many things that were. Raises a Fault."""
        ...

    def export(self, tenant: str, profile_id: str) -> AsyncIterator[str]:
        """All that it holds, as JSON lines; raises a Fault."""
        ...


class PersonalRecords:
    """Exports and erasures of the profiles of all tenants; belongs to one event loop."""

    def __init__(
        self,
        store: EventStore,
        commits: GroupCommit,
        services: Sequence[PersonalDataService],
        clock: Callable[[], int],
        *,
        retry_s: float = RETRY_S,
    ) -> None:
        self._store = store
        self._commits = commits
        self._services = tuple(services)
        self._clock = clock
        self._retry_s = retry_s
        # Deletions and how many of them are scrubbed. One is assumed of the process before, which
        # may have crashed in between.
        self._deleted = 1
        self._scrubbed = 0
        # Who has been erased to the last, and may still be found.
        self._gone: set[str] = set()
        # Of its own, so that they can be waited for: the store must not be closed under them.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="records")

    async def close(self) -> None:
        """Wait for the threads; the store may be closed after."""
        await asyncio.to_thread(self._threads.shutdown)

    async def erase(self, tenant: str, profile_id: str, *, time_left_s: float) -> Erasure:
        """Erase a profile; complete only when every service has confirmed within the time."""
        names, now_ms = [service.name for service in self._services], self._clock()
        erasure = await self._commits.run(
            1, lambda: self._store.erase_profile(tenant, profile_id, names, now_ms)
        )
        self._deleted += 1
        if not erasure.is_complete:
            timeout_s = min(ERASE_S, time_left_s / 2)
            erasure = await self._drive(tenant, profile_id, timeout_s, removal_s=timeout_s)
        else:
            self._gone.add(profile_id)
        if erasure.is_removed:
            await self._scrub()
        return erasure

    async def run(self) -> None:
        """Drive what is pending, for ever; what cannot be done now is tried again."""
        while True:
            try:
                for tenant, profile_id in await self._on_thread(self._store.pending_erasures):
                    await self._drive(tenant, profile_id, ERASE_S, removal_s=math.inf)
            except Fault as fault:
                log.warning("erasures wait", cause=fault.reason)
            await self._scrub()
            await asyncio.sleep(self._retry_s)

    async def export(self, tenant: str, profile_id: str) -> AsyncGenerator[str, None]:
        """Everything that the suite holds, as JSON lines, a few hundred at a time.

        Raises a Fault when a service cannot be asked: half of an export looks like a whole one.
        """
        lines = self._own_lines(tenant, profile_id)
        while chunk := await self._on_thread(lambda: list(islice(lines, PAGE))):
            yield "".join(chunk)
        for service in self._services:
            async for lines_of_service in service.export(tenant, profile_id):
                for line in lines_of_service.splitlines():
                    yield _line(service.name, **json.loads(line))

    async def _drive(
        self, tenant: str, profile_id: str, timeout_s: float, *, removal_s: float
    ) -> Erasure:
        """Ask every service once, and remove what is left here; the erasure after both.

        What is not removed within the time is left for the next round.
        """
        asked = (_asked(service, tenant, profile_id, timeout_s) for service in self._services)
        answers, _ = await asyncio.gather(
            asyncio.gather(*asked), self._remove(tenant, profile_id, removal_s)
        )

        def note() -> Erasure:
            # Asked again, an erasure is what it was: with no service left there is nothing to add.
            erasure = self._step(tenant, profile_id)
            for answer in answers:
                erasure = self._store.confirm_erasure(tenant, profile_id, answer)
            return erasure

        erasure = await self._commits.run(STEP_ROWS, note)
        self._deleted += 1
        if erasure.is_complete:
            self._gone.add(profile_id)
        return erasure

    async def _remove(self, tenant: str, profile_id: str, removal_s: float) -> None:
        """Remove what is left here, as far as the time goes."""
        until_s = time.monotonic() + removal_s
        is_removed = False
        while not is_removed and time.monotonic() < until_s:
            began_s = time.monotonic()
            erasure = await self._commits.run(STEP_ROWS, partial(self._step, tenant, profile_id))
            is_removed = erasure.is_removed
            if not is_removed:
                # Writers have the disk for as long as the step took.
                await asyncio.sleep(time.monotonic() - began_s)

    def _step(self, tenant: str, profile_id: str) -> Erasure:
        return self._store.erase_profile(tenant, profile_id, (), self._clock())

    async def _scrub(self) -> None:
        """Up to what is deleted by now; what is deleted meanwhile is for the next time."""
        until, gone = self._deleted, frozenset(self._gone)
        if self._scrubbed < until and await self._on_thread(lambda: self._store.scrub(gone)):
            self._scrubbed = max(self._scrubbed, until)
            self._gone -= gone

    async def _on_thread(self, work: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _own_lines(self, tenant: str, profile_id: str) -> Iterator[str]:
        for profile in self._store.profiles(tenant, [profile_id]):
            yield _line("events", "profile", _message(profile_message(profile)))
        before = None
        while events := self._store.history(tenant, profile_id, most=PAGE, before=before):
            for event in events:
                yield _line("events", "event", _message(event_message(event)))
            before = events[-1].order
        if self._store.compacted_until_ms(tenant) >= 0:
            # After the events: what is compacted meanwhile is in both rather than in none.
            for day in self._store.watched_days(tenant, profile_id):
                yield _line("events", "day", {**asdict(day), "day": day.date.isoformat()})
        for decision in self._store.decisions_of(tenant, profile_id):
            yield _line("events", "decision", decision)
        state = self._store.profile_state(tenant, profile_id, None)
        if state.newest_ms:
            yield _line("events", "features", _features(state))


async def _asked(
    service: PersonalDataService, tenant: str, profile_id: str, timeout_s: float
) -> ServiceErasure:
    try:
        count = await service.erase(tenant, profile_id, timeout_s=timeout_s)
    except Fault as fault:
        log.warning("erasure waits for a service", service=service.name, cause=fault.reason)
        return ServiceErasure(service.name, problem=fault.reason)
    return ServiceErasure(service.name, is_complete=True, erased_count=count)


def _line(service: str, kind: str, data: dict[str, Any]) -> str:
    return json.dumps({"service": service, "kind": kind, "data": data}) + "\n"


def _message(message: Any) -> dict[str, Any]:
    value: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return value


def _features(state: ProfileState) -> dict[str, Any]:
    names = state.records.dtype.names or ()
    return {
        "newest_event_ms": state.newest_ms,
        "counters_as_of_ms": state.counters.at_ms,
        "counters": dict(zip(PROFILE_COUNTER_NAMES, state.counters.values.tolist(), strict=True)),
        "wishes": {
            "as_of_ms": state.wishes.key[0],
            "weights": {wish.title_id: wish.weight for wish in state.wishes.wishes},
        },
        "titles": [
            {"title_id": title_id, **{name: _number(record[name]) for name in names}}
            for title_id, record in zip(state.title_ids, state.records, strict=True)
        ],
    }


def _number(value: Any) -> Any:
    # JSON knows no NaN, by which a record says that there is no rating.
    return None if isinstance(value, np.floating) and np.isnan(value) else value.item()
