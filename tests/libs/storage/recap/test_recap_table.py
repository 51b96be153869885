"""Runs of recaps in SQLite and PostgreSQL."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from libs.faults import InvalidField
from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap.database import Database
from libs.storage.recap.personal_tables import PersonalTables
from libs.storage.recap.recap_table import RecapRow, RecapRun, RecapTable
from tests.made_recap import count_rows

RUN = RecapRun("r1", "2025", 1_000, "")
LATER = dataclasses.replace(RUN, run_id="r2", cutoff_ms=2_000)
ROWS = [RecapRow(f"p{place}", "", "{}") for place in range(50)]


@pytest.fixture
def table(database: Database) -> RecapTable:
    return RecapTable(database, PersonalTables(database, Pseudonyms(bytes(32))))


def _published(table: RecapTable, run: RecapRun, rows: list[RecapRow]) -> None:
    table.begin("t", run)
    table.record("t", run.run_id, rows)
    table.publish("t", run.run_id)


def test_rows_are_of_a_run_that_is_begun(table: RecapTable, database: Database) -> None:
    with pytest.raises(InvalidField, match="is of no run"):
        table.record("t", "r1", ROWS)
    table.begin("t", RUN)
    with pytest.raises(InvalidField, match="is of no run"):
        table.record("other", "r1", ROWS)
    _published(table, LATER, ROWS[:1])
    with pytest.raises(InvalidField, match="is of no run"):
        table.record("t", "r1", ROWS)
    assert count_rows(database, "recap") == 1, "nothing stays that no run leads to"


def test_a_run_that_never_became_whole_is_forgotten_with_a_later_one(
    table: RecapTable, database: Database
) -> None:
    table.begin("t", RUN)
    table.record("t", "r1", ROWS)
    newest = dataclasses.replace(RUN, run_id="r3", cutoff_ms=3_000)
    other = dataclasses.replace(RUN, run_id="o", period="lifetime")
    for run in (newest, other):
        table.begin("t", run)
        table.record("t", run.run_id, ROWS[:2])
    _published(table, LATER, ROWS[:1])
    assert count_rows(database, "recap") == 5
    assert table.find("t", "p0", "2025") == (LATER, {"": "{}"})
    table.publish("t", "r3")
    assert table.find("t", "p1", "2025") == (newest, {"": "{}"})
    assert count_rows(database, "recap") == 4


def test_one_run_sent_by_two_at_once_is_one_run(table: RecapTable, database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        for sent in [pool.submit(_published, table, RUN, ROWS) for _ in range(8)]:
            sent.result()
    assert count_rows(database, "recap") == len(ROWS)
    assert table.find("t", "p0", "2025")[0] == RUN


def test_tenants_do_not_see_one_another(table: RecapTable) -> None:
    _published(table, RUN, ROWS)
    assert table.find("other", "p0", "2025") == (None, {})
    table.begin("other", dataclasses.replace(RUN, cutoff_ms=5))
    table.publish("other", "r1")
    assert table.find("t", "p0", "2025") == (RUN, {"": "{}"})
