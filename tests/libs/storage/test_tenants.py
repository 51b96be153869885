"""The tenant is the first part of every stored key, and no tenant's writes touch another's."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from libs.domain.event import DAY_MS
from libs.storage.catalogue_store import CATALOGUE_SCHEMA
from libs.storage.event_schema import EVENT_SCHEMA
from libs.storage.event_store import SqliteEventStore
from libs.storage.feature_reader import FeatureReader
from libs.storage.sqlite import Schema
from tests.made_events import START_MS, watch

NOW_MS = START_MS + 100 * DAY_MS


def keys(schema: Schema) -> Iterator[tuple[str, list[str]]]:
    """Every key and unique index of a schema, with its columns."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in schema.statements:
            connection.execute(statement)
        tables = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for (table,) in tables.fetchall():
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            assert "tenant" in [column[1] for column in columns], table
            for _, index, is_unique, *_ in connection.execute(f"PRAGMA index_list({table})"):
                if is_unique:
                    parts = connection.execute(f"PRAGMA index_info({index})").fetchall()
                    yield f"{table}.{index}", [name for _, _, name in parts]


@pytest.mark.parametrize("schema", [EVENT_SCHEMA, CATALOGUE_SCHEMA])
def test_every_key_begins_with_the_tenant(schema: Schema) -> None:
    found = dict(keys(schema))
    assert found
    assert {columns[0] for columns in found.values()} == {"tenant"}


def test_more_tenants_than_are_held_in_memory_keep_counting(
    tmp_path: Path,
) -> None:
    tenants = [f"tenant-{number}" for number in range(5)]
    file = tmp_path / "events.sqlite"
    with (
        closing(SqliteEventStore(file, most_tenants=2)) as store,
        closing(FeatureReader(file)) as reader,
    ):
        for day in range(3):
            for place, tenant in enumerate(tenants):
                with store.transaction():
                    for number in range(place + 1):
                        event = watch(f"{day}.{number}", START_MS + day * DAY_MS)
                        assert store.record_events(tenant, [event], NOW_MS).recorded_count == 1
        for place, tenant in enumerate(tenants):
            assert reader.title_changes(tenant, 0).last_change == 3
            for as_of_ms in (None, NOW_MS):
                table = store.title_table(tenant, as_of_ms, "", now_ms=NOW_MS)
                np.testing.assert_allclose(table.counters[0, 3], 0.5 * 3 * (place + 1))
