"""What is read of the log to take an event in costs the same however much is there."""

import sqlite3
from contextlib import closing
from pathlib import Path

from libs.domain.event import DAY_MS, Event, EventKind, Thumb, ThumbDirection
from libs.storage import event_log
from libs.storage.event_store import SqliteEventStore
from tests.made_events import START_MS

TENANT = "default"
NOW_MS = START_MS + DAY_MS
MOST_STEPS = 2_000


def test_the_thousandth_thumb_about_a_title_costs_what_the_first_did(tmp_path: Path) -> None:
    with closing(SqliteEventStore(tmp_path / "events.sqlite")) as store:
        thumbs = [
            Event(
                f"thumb{place:04d}",
                "profile0",
                EventKind.THUMB,
                START_MS,  # all at once: the id alone says which holds
                title_id="title0",
                detail=Thumb(ThumbDirection.UP if place % 2 else ThumbDirection.DOWN),
            )
            for place in range(1_000)
        ]
        store.record_events(TENANT, thumbs, NOW_MS)
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        with closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection:
            connection.set_progress_handler(count, 1)
            (held,) = event_log.read_held_thumbs(
                connection, TENANT, {("profile0", "title0")}, but_for=["thumb0999"]
            )
        assert held.event_id == "thumb0998"
        assert 0 < steps < MOST_STEPS
