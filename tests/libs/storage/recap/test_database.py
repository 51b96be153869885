import contextlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from libs.faults import PartUnavailable, StartFault
from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap.database import Database, open_file, open_server
from libs.storage.recap.personal_tables import PersonalTables, open_pseudonyms
from tests.libs.storage.recap.conftest import Open


@pytest.fixture
def pseudonyms(tmp_path: Path) -> Pseudonyms:
    return Pseudonyms.of_file(tmp_path / "recap.key")


def test_who_was_erased_stays_erased_when_the_database_is_opened_again(
    open_database: Open, pseudonyms: Pseudonyms
) -> None:
    with contextlib.closing(open_database()) as database:
        tables = PersonalTables(database, pseudonyms)
        assert tables.erase("default", "p1") == tables.erase("default", "p1") == 0
    with contextlib.closing(open_database()) as database, database.read() as connection:
        tables = PersonalTables(database, pseudonyms)
        assert tables.is_erased(connection, "default", "p1")
        assert not tables.is_erased(connection, "default", "p2")
        assert not tables.is_erased(connection, "other", "p1")


def test_all_replicas_of_a_database_need_the_key_that_it_was_made_with(
    open_database: Open, tmp_path: Path
) -> None:
    own, other = tmp_path / "recap.key", tmp_path / "other.key"
    with contextlib.closing(open_database()) as database:
        made = open_pseudonyms(database, own)
        assert open_pseudonyms(database, own).fingerprint == made.fingerprint
        Pseudonyms.of_file(other)
        with pytest.raises(StartFault, match=r"other\.key is not the key that"):
            open_pseudonyms(database, other)
    own.unlink()
    with (
        contextlib.closing(open_database()) as database,
        pytest.raises(StartFault, match=r"recap\.key is missing"),
    ):
        open_pseudonyms(database, own)
    assert not own.exists()


def test_a_key_that_tombstones_were_made_with_is_not_made_anew(
    open_database: Open, tmp_path: Path
) -> None:
    with contextlib.closing(open_database()) as database:
        # By a release that did not note its key.
        PersonalTables(database, Pseudonyms(b"k" * 32)).erase("default", "p1")
        with pytest.raises(StartFault, match=r"recap\.key is missing"):
            open_pseudonyms(database, tmp_path / "recap.key")


def is_synced(connection: sa.Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    return connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def sync(database: Database) -> None:
    """Let a server wait for the disk as those do that nobody tests with."""
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            name = connection.exec_driver_sql("SELECT current_database()").scalar()
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = on')


def test_nobody_waits_for_the_disk_where_that_is_said_and_only_there(open_database: Open) -> None:
    with contextlib.closing(open_database()) as database:
        sync(database)
    row = sa.text("INSERT INTO erased_profile VALUES ('default', 'x')")
    with contextlib.closing(open_database()) as database:
        with database.write_unsynced() as connection:
            assert not is_synced(connection)
            connection.execute(row)
        with database.write() as connection:
            assert is_synced(connection)
    with contextlib.closing(open_database()) as database, database.read() as connection:
        found = connection.execute(sa.text("SELECT pseudonym FROM erased_profile")).scalars()
        assert found.all() == ["x"]


@pytest.mark.parametrize("is_synced", [True, False])
def test_a_block_that_fails_has_written_nothing(database: Database, is_synced: bool) -> None:
    def fail() -> None:
        with (database.write if is_synced else database.write_unsynced)() as connection:
            connection.execute(sa.text("INSERT INTO erased_profile VALUES ('default', 'x')"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        count = connection.execute(sa.text("SELECT count(*) FROM erased_profile")).scalar()
    assert count == 0


def test_a_file_of_another_version_is_refused_in_one_line(open_database: Open) -> None:
    with contextlib.closing(open_database()) as database, database.write() as connection:
        connection.execute(sa.text("UPDATE recap_schema SET version = 999"))
    with pytest.raises(StartFault, match="schema version 999, this release needs"):
        open_database()


def test_a_database_of_another_version_is_left_as_it_was(open_database: Open) -> None:
    with contextlib.closing(open_database()) as database, database.write() as connection:
        connection.execute(sa.text("UPDATE recap_schema SET version = 999"))
        connection.execute(sa.text("DROP TABLE erased_profile"))
    with pytest.raises(StartFault, match="schema version 999"):
        open_database()
    with database.read() as connection:  # its pools open anew
        assert not sa.inspect(connection).has_table("erased_profile")
    database.close()


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "recap.sqlite"
    path.write_bytes(b"rubbish" * 1_000)
    with pytest.raises(StartFault, match=r"cannot write .*not a database"):
        open_file(path)


def test_a_file_that_is_damaged_while_it_is_read_is_not_available(tmp_path: Path) -> None:
    path = tmp_path / "recap.sqlite"
    open_file(path).close()
    with contextlib.closing(open_file(path)) as database:
        path.write_bytes(path.read_bytes()[:4_096] + b"rubbish" * 10_000)
        with pytest.raises(PartUnavailable), database.read() as connection:
            connection.execute(sa.text("SELECT count(*) FROM erased_profile")).scalar()


def test_a_full_disk_takes_nothing_and_what_was_there_stays(tmp_path: Path) -> None:
    with contextlib.closing(open_file(tmp_path / "recap.sqlite")) as database:
        with database.write() as connection:
            connection.execute(sa.text("INSERT INTO erased_profile VALUES ('default', 'x')"))
            # As many pages as there are: SQLite's own word for it.
            pages = connection.execute(sa.text("PRAGMA page_count")).scalar()
            connection.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
        insert = sa.text("INSERT INTO erased_profile VALUES ('default', :pseudonym)")
        much = [{"pseudonym": f"{place:01000}"} for place in range(1_000)]
        with pytest.raises(PartUnavailable, match="full"), database.write() as connection:
            connection.execute(insert, much)
        with database.read() as connection:
            count = connection.execute(sa.text("SELECT count(*) FROM erased_profile")).scalar()
        assert count == 1


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "recap.sqlite"
    with (
        contextlib.closing(open_file(path)),
        pytest.raises(StartFault, match="already written by another process"),
    ):
        open_file(path)
    open_file(path).close()


def test_readers_of_a_file_cannot_write(tmp_path: Path) -> None:
    with (
        contextlib.closing(open_file(tmp_path / "recap.sqlite")) as database,
        pytest.raises(PartUnavailable, match="readonly"),
        database.read() as connection,
    ):
        connection.execute(sa.text("DELETE FROM erased_profile"))


def test_a_reader_sees_one_state_while_another_writes(database: Database) -> None:
    count = sa.text("SELECT count(*) FROM erased_profile")
    with database.read() as reading:
        before = reading.execute(count).scalar()
        with database.write() as writing:
            writing.execute(sa.text("INSERT INTO erased_profile VALUES ('default', 'x')"))
            assert reading.execute(count).scalar() == before == 0
        assert reading.execute(count).scalar() == 0
    with database.read() as later:
        assert later.execute(count).scalar() == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:secret@127.0.0.1:1/x", "127.0.0.1"),
        ("rabbit hole", "REPRISE_RECAP_URL"),
        ("mysql://127.0.0.1/x", "REPRISE_RECAP_URL"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_line_without_the_password(url: str, said: str) -> None:
    with pytest.raises(StartFault) as caught:
        open_server(url)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
