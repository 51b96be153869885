"""The tables of the log, as revisions make them."""

import threading

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from libs.faults import StartFault
from libs.storage.postgres.log_row import WRITTEN_COLUMNS
from libs.storage.postgres.migration import KEYS, LOG, Revisions, migrate
from tests.free_ports import free_port
from tests.made_databases import PostgresDatabases


@pytest.mark.parametrize("revisions", [LOG, KEYS])
def test_first_and_head_are_those_of_the_scripts(revisions: Revisions) -> None:
    config = Config()
    config.set_main_option("script_location", str(revisions.folder))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == revisions.head
    assert scripts.get_bases() == [revisions.first]


def test_replicas_that_start_together_make_the_tables_once(
    postgres_databases: PostgresDatabases,
) -> None:
    url = postgres_databases.empty()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            migrate(url)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (LOG.head,)
        ]


def test_the_log_has_a_column_for_all_that_an_event_is(
    postgres_databases: PostgresDatabases,
) -> None:
    with psycopg.connect(postgres_databases.fresh()) as connection:
        rows = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'events'"
        ).fetchall()
    wanted = WRITTEN_COLUMNS.split(",")
    assert {name for (name,) in rows} == {"tenant", "batch_id", *(name.strip() for name in wanted)}


def test_every_key_begins_with_the_tenant(postgres_databases: PostgresDatabases) -> None:
    with psycopg.connect(postgres_databases.fresh()) as connection:
        rows = connection.execute(
            "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_attribute a"
            " ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE t.relnamespace = 'public'::regnamespace AND i.indisunique"
            " AND t.relname NOT IN ('alembic_version', 'key_version', 'identity_secret')"
        ).fetchall()
    assert len(rows) >= 4
    assert {column for _, column in rows} == {"tenant"}


@pytest.mark.parametrize("revision", ["0001", "9999"])
def test_tables_of_other_releases_are_refused(
    postgres_databases: PostgresDatabases, revision: str
) -> None:
    url = postgres_databases.empty()
    migrate(url)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (revision,))
    with pytest.raises(StartFault, match=f"revision {revision}"):
        migrate(url)


def test_no_server_is_one_line_without_the_password() -> None:
    port = free_port()
    with pytest.raises(StartFault) as caught:
        migrate(f"postgresql://somebody:secret@127.0.0.1:{port}/reprise")
    said = str(caught.value)
    assert str(port) in said
    assert "secret" not in said
    assert "\n" not in said
