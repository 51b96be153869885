"""Shares in SQLite and PostgreSQL."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap import share_table
from libs.storage.recap.database import Database, open_server
from libs.storage.recap.personal_tables import PersonalTables
from libs.storage.recap.share_table import ShareRow, ShareTable
from tests.made_databases import PostgresDatabases

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


def test_replicas_make_one_share_of_an_id_and_none_of_who_is_erased_meanwhile(
    postgres_databases: PostgresDatabases,
) -> None:
    url, pseudonyms = postgres_databases.empty(), Pseudonyms(bytes(32))
    with ExitStack() as stack, ThreadPoolExecutor(8) as threads:
        replicas = [stack.enter_context(closing(open_server(url))) for _ in range(2)]
        personal = [PersonalTables(replica, pseudonyms) for replica in replicas]
        tables = [ShareTable(*both) for both in zip(replicas, personal, strict=True)]

        def create(number: int) -> ShareRow | None:
            row = dataclasses.replace(
                ROW, share_id=f"s{number // 8}", link_id=f"{number:032}", digest=f"d{number}"
            )
            return tables[number % 2].create("acme", row, now_ms=NOW_MS)

        made = list(threads.map(create, range(64)))
        assert len({one.link_id for one in made if one is not None}) == 8
        assert None not in made
        later = [threads.submit(create, number) for number in range(64, 192)]
        assert personal[1].erase("acme", "p") >= 8
        for one in later:
            one.result()
        assert create(0) is None
        assert list(personal[0].export("acme", "p")) == []
