"""An event and its row in PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given

from libs.domain.event import DAY_MS, Event, EventKind, Search
from libs.domain.viewing import ViewingContext
from libs.faults import InvalidField
from libs.storage.postgres.identities import Identity
from libs.storage.postgres.log_row import (
    ROW_COLUMNS,
    SEALED,
    WRITTEN_COLUMNS,
    decode_row,
    decode_rows,
    encode_row,
)
from tests.made_databases import PostgresDatabases
from tests.made_events import START_MS, event_lists, watch

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS
SOMEBODY = Identity(7, "somebody", bytes(32))
WIDTH = len(ROW_COLUMNS.split(","))


@given(event_lists(most=20))
def test_an_event_comes_back_as_it_was(some: list[Event]) -> None:
    for event in some:
        row = encode_row(event, None, NOW_MS, SOMEBODY)
        assert len(row) == len(WRITTEN_COLUMNS.split(","))
        found = decode_row(row[:WIDTH], SOMEBODY)
        assert found == replace(event, profile_id="somebody", attribution=None)


def test_what_could_tell_who_it_is_is_sealed() -> None:
    context = ViewingContext(time_zone="Europe/Lisbon", language="pt", geo_cell="ez3f5")
    event = replace(
        watch("e", START_MS, profile_id="somebody"), context=context, session_id="session-of-x"
    )
    said = repr(encode_row(event, None, NOW_MS, SOMEBODY))
    for text in ("somebody", "session-of-x", "Europe/Lisbon", "ez3f5"):
        assert text not in said
    assert not set(SEALED) & {name.strip() for name in ROW_COLUMNS.split(",")}


def test_a_seal_is_of_one_event_and_one_profile() -> None:
    event = replace(watch("e", START_MS), session_id="session")
    row = encode_row(event, None, NOW_MS, SOMEBODY)[:WIDTH]
    with pytest.raises(InvalidTag):
        decode_row(row, Identity(7, "somebody", bytes(31) + b"x"))
    other = tuple("f" if value == "e" else value for value in row)
    with pytest.raises(InvalidTag):
        decode_row(other, SOMEBODY)
    assert decode_rows([row], {}) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda nul: replace(watch("e", START_MS), session_id=nul),
        lambda nul: replace(watch("e", START_MS), title_id=nul),
        lambda nul: watch(nul, START_MS),
        lambda nul: ViewingContext(time_zone=nul),
        lambda nul: ViewingContext(language=nul),
        lambda nul: ViewingContext(geo_cell=nul),
        lambda nul: Search(nul),
    ],
)
@pytest.mark.parametrize("text", ["\0", "a\0b", "a\x1fb"])
def test_no_text_has_what_stands_between_texts(make: Callable[[str], object], text: str) -> None:
    # PostgreSQL takes no NUL either: one event with it would undo all of its group.
    with pytest.raises(InvalidField):
        make(text)


def test_the_largest_numbers_and_texts_are_stored(postgres_databases: PostgresDatabases) -> None:
    url = postgres_databases.fresh()
    store = postgres_databases.store(url)
    largest = [
        replace(watch("x" * 128, 0, profile_id="ä" * 128), sequence=2**63 - 1),
        Event("y", "ä" * 128, EventKind.SEARCH, 1, detail=Search("\U0001f9e1" * 512, 2**31 - 1)),
    ]
    assert store.record_events(TENANT, largest, NOW_MS).recorded_count == 2
    assert store.history(TENANT, "ä" * 128, most=9) == largest[::-1]
    assert len(store.title_table(TENANT, None, "", now_ms=NOW_MS).title_ids) == 1
    with psycopg.connect(url) as connection:
        connection.execute("SELECT * FROM events_1970")
    store.close()
    postgres_databases.give_back(url)
