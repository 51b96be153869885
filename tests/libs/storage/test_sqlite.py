import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from libs.faults import PartUnavailable, StartFault
from libs.storage.sqlite import Readers, Schema, open_reader, open_writer, snapshot, transaction
from libs.storage.transaction_lost import TransactionLost

SCHEMA = Schema(3, ("CREATE TABLE things (name TEXT)",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "things.sqlite"


def names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM things").fetchall()]


def test_a_second_writer_is_refused_in_one_line(path: Path) -> None:
    writer = open_writer(path, SCHEMA)
    with pytest.raises(StartFault) as caught:
        open_writer(path, SCHEMA)
    assert str(caught.value) == (
        f"{path} is already written by another process (pid {os.getpid()})"
    )
    writer.close()
    open_writer(path, SCHEMA).close()


def test_a_second_process_is_refused_too(path: Path) -> None:
    writer = open_writer(path, SCHEMA)
    code = (
        "import sys; from pathlib import Path; from libs.storage.sqlite import *\n"
        "try: open_writer(Path(sys.argv[1]), Schema(3, ()))\n"
        "except StartFault as fault: sys.exit(str(fault))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    writer.close()
    assert other.returncode == 1
    assert "is already written by another process" in other.stderr
    assert other.stderr.count("\n") == 1


def test_a_file_of_another_version_is_refused_in_one_line(path: Path) -> None:
    open_writer(path, SCHEMA).close()
    with pytest.raises(StartFault, match=r"has schema version 3, this release needs 4$"):
        open_writer(path, Schema(4, ()))
    with pytest.raises(PartUnavailable, match="schema version 3"):
        open_reader(path, Schema(4, ()), "things")
    open_writer(path, SCHEMA).close()


def test_a_file_that_is_no_database_is_refused_in_one_line(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("something else entirely, and long enough" * 100)
    with pytest.raises(StartFault, match="file is not a database"):
        open_writer(path, SCHEMA)
    with pytest.raises(PartUnavailable):
        open_reader(path, SCHEMA, "things")


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(path: Path) -> None:
    path.parent.write_text("a file")
    with pytest.raises(StartFault, match="cannot write"):
        open_writer(path, SCHEMA)


def test_a_transaction_that_raises_leaves_nothing(path: Path) -> None:
    writer = open_writer(path, SCHEMA)
    with contextlib.suppress(ZeroDivisionError), transaction(writer.connection):
        writer.connection.execute("INSERT INTO things VALUES ('a')")
        raise ZeroDivisionError
    assert names(writer.connection) == []
    writer.close()


def test_a_transaction_inside_another_fails_alone(path: Path) -> None:
    writer = open_writer(path, SCHEMA)
    with transaction(writer.connection):
        writer.connection.execute("INSERT INTO things VALUES ('a')")
        with contextlib.suppress(ZeroDivisionError), transaction(writer.connection):
            writer.connection.execute("INSERT INTO things VALUES ('b')")
            raise ZeroDivisionError
        with transaction(writer.connection):
            writer.connection.execute("INSERT INTO things VALUES ('c')")
    assert names(writer.connection) == ["a", "c"]
    writer.close()


def test_a_part_that_fills_the_disk_takes_the_whole_transaction_down(path: Path) -> None:
    writer = open_writer(path, SCHEMA)
    writer.connection.execute("PRAGMA max_page_count = 3")

    def fill() -> None:
        with transaction(writer.connection):
            writer.connection.execute("INSERT INTO things VALUES ('a')")
            with transaction(writer.connection):
                writer.connection.execute("INSERT INTO things VALUES (?)", ("b" * 50_000,))

    with pytest.raises(TransactionLost, match="full"):
        fill()
    assert names(writer.connection) == []
    with transaction(writer.connection):
        writer.connection.execute("INSERT INTO things VALUES ('c')")
    assert names(writer.connection) == ["c"]
    writer.close()


def test_a_snapshot_does_not_see_what_is_written_meanwhile(path: Path) -> None:
    writer = open_writer(path, SCHEMA)
    reader = open_reader(path, SCHEMA, "things")
    with snapshot(reader):
        assert names(reader) == []
        writer.connection.execute("INSERT INTO things VALUES ('a')")
        assert names(reader) == []
    assert names(reader) == ["a"]
    reader.close()
    writer.close()


def test_readers_find_the_file_when_it_appears_and_when_it_is_another(path: Path) -> None:
    readers = Readers(path, SCHEMA, "things")
    with pytest.raises(PartUnavailable, match="things is not available"):
        readers.connection()
    writer = open_writer(path, SCHEMA)
    writer.connection.execute("INSERT INTO things VALUES ('a')")
    assert names(readers.connection()) == ["a"]
    writer.close()
    for file in path.parent.iterdir():
        file.unlink()
    with pytest.raises(PartUnavailable):
        readers.connection()
    writer = open_writer(path, SCHEMA)
    assert names(readers.connection()) == []
    readers.close()
    writer.close()


def test_a_reader_cannot_write(path: Path) -> None:
    open_writer(path, SCHEMA).close()
    reader = open_reader(path, SCHEMA, "things")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO things VALUES ('a')")
    reader.close()
