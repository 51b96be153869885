"""A replica of recap's prompts as a process that a test tells what to do, and may kill.

A line on stdin is a batch of calls; each answer is a line on stdout, and an empty line says that
the outbox is empty too.
"""

import asyncio
import json
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from libs.domain.event import Event
from libs.domain.rejection import Rejection
from libs.domain.viewing import UNKNOWN_CONTEXT
from libs.serving.waiting import on_thread
from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.identities import open_identities
from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap.database import open_server
from libs.storage.recap.personal_tables import PersonalTables
from services.recap.outbox import Outbox
from services.recap.quiz.hold_out import HoldOut
from services.recap.quiz.prompt_policy import Moment
from services.recap.quiz.prompts import Prompts

TENANT: Final = "default"
THREADS: Final = 4


class Log:
    """The event log, without a service before it."""

    def __init__(self, store: PostgresEventStore, now_ms: int) -> None:
        self._store = store
        self._now_ms = now_ms

    async def record_events(self, tenant: str, events: Sequence[Event]) -> Sequence[Rejection]:
        await on_thread(self._store.record_events, tenant, list(events), self._now_ms)
        return ()


def main(
    recap_url: str, events_url: str, secret: Path, key: bytes, ratio: float, end_ms: int
) -> None:
    identities = open_identities(events_url, secret, may_make=False)
    told = threading.Lock()
    hold_out = HoldOut(ratio, key)
    with (
        closing(open_server(recap_url)) as database,
        closing(PostgresEventStore(events_url, identities)) as store,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        prompts = Prompts(database, PersonalTables(database, Pseudonyms(key)))
        outbox = Outbox(database, Log(store, end_ms))

        def answer(call: tuple[int, list[Any]]) -> None:
            place, (kind, profile_id, offer_id, at_ms, *moment) = call
            if kind == "offer":
                is_playing, until_ms, is_off = moment
                verdict = prompts.offer(
                    TENANT,
                    profile_id,
                    offer_id,
                    Moment(
                        is_switched_off=is_off,
                        is_playing=is_playing,
                        next_episode_until_ms=until_ms,
                        is_held_out=hold_out.holds(TENANT, profile_id),
                    ),
                    UNKNOWN_CONTEXT,
                    at_ms,
                )
                said = int(verdict.refusal)
            else:
                said = prompts.dismiss(TENANT, profile_id, offer_id, at_ms)
            with told:
                tell(json.dumps([place, said]))

        async def send() -> None:
            while await outbox.send_batch(TENANT):
                pass

        tell("")
        for line in sys.stdin:
            list(threads.map(answer, enumerate(json.loads(line))))
            asyncio.run(send())
            tell("")


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    recap, events, secret_file, key_text, hold_out_ratio, end = sys.argv[1:]
    main(recap, events, Path(secret_file), bytes.fromhex(key_text), float(hold_out_ratio), int(end))
