"""Shares in SQLite and PostgreSQL."""

import dataclasses

import pytest

from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap import share_table
from libs.storage.recap.database import Database
from libs.storage.recap.personal_tables import PersonalTables
from libs.storage.recap.share_table import ShareRow, ShareTable

NOW_MS = 1_760_000_000_000
ROW = ShareRow("p", "s", "0a", "digest", '{"cards":[]}', NOW_MS + 1_000)


@pytest.fixture
def personal(database: Database) -> PersonalTables:
    return PersonalTables(database, Pseudonyms(bytes(32)))


@pytest.fixture
def table(database: Database, personal: PersonalTables) -> ShareTable:
    return ShareTable(database, personal)


def test_a_share_is_found_by_its_token_and_by_its_id(table: ShareTable) -> None:
    assert table.create("acme", ROW, now_ms=NOW_MS) == ROW
    assert table.find("acme", "0a") == ROW
    assert table.of_id("acme", "p", "s") == ROW
    assert table.find("bravo", "0a") is None
    assert table.of_id("acme", "q", "s") is None


def test_the_first_share_of_an_id_stays_until_it_expires(table: ShareTable) -> None:
    table.create("acme", ROW, now_ms=NOW_MS)
    other = dataclasses.replace(ROW, link_id="0b", digest="other", expires_ms=NOW_MS + 9_000)
    assert table.create("acme", other, now_ms=NOW_MS) == ROW
    assert table.create("acme", other, now_ms=NOW_MS + 1_000) == other
    assert table.find("acme", "0a") is None


def test_what_is_revoked_has_no_content(table: ShareTable) -> None:
    for share_id, link_id in (("s", "0a"), ("t", "0b")):
        row = dataclasses.replace(ROW, share_id=share_id, link_id=link_id)
        table.create("acme", row, now_ms=NOW_MS)
    assert table.revoke("acme", "p", "s", now_ms=NOW_MS) == 1
    assert table.revoke("acme", "p", "s", now_ms=NOW_MS) == 0
    found = table.find("acme", "0a")
    assert found is not None
    assert (found.is_revoked, found.content) == (True, "")
    assert table.revoke("acme", "p", "", now_ms=NOW_MS) == 1
    assert table.revoke("acme", "p", "", now_ms=NOW_MS + 1_000) == 0


def test_nothing_of_an_erased_profile_is_taken(table: ShareTable, personal: PersonalTables) -> None:
    table.create("acme", ROW, now_ms=NOW_MS)
    assert len(list(personal.export("acme", "p"))) == 1
    assert personal.erase("acme", "p") == 1
    assert table.find("acme", "0a") is None
    assert table.create("acme", ROW, now_ms=NOW_MS) is None
    assert table.create("bravo", ROW, now_ms=NOW_MS) == ROW


def test_a_profile_has_so_many_shares(table: ShareTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_table, "MOST_SHARES", 3)
    for place in range(5):
        row = dataclasses.replace(
            ROW, share_id=f"s{place}", link_id=f"0{place}", expires_ms=NOW_MS + 10 + place
        )
        table.create("acme", row, now_ms=NOW_MS)
    kept = [place for place in range(5) if table.find("acme", f"0{place}") is not None]
    assert kept == [2, 3, 4]
