"""Brings a database to the tables of this release, with Alembic."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from libs.faults import StartFault

_HERE: Final = Path(__file__).parent

# Replicas that start together take turns; the number only has to be nobody else's.
MIGRATION_LOCK: Final = 7_400_001


@dataclass(frozen=True, slots=True)
class Revisions:
    """The revisions of one set of tables, from `first` to `head`, and where it is noted which."""

    folder: Path
    first: str
    head: str
    version_table: str
    setting: str  # names the database


LOG: Final = Revisions(_HERE / "migrations", "0002", "0003", "alembic_version", "EVENTS_URL")
KEYS: Final = Revisions(_HERE / "key_migrations", "0001", "0001", "key_version", "KEYS_URL")


def migrate(url: str, revisions: Revisions = LOG) -> None:
    """Make what is missing; nothing happens where the revision is the last.

    Raises StartFault when the database cannot be reached or is of another release.
    """
    setting = f"REPRISE_{revisions.setting}"
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            found = _revision(connection, revisions.version_table)
            if found == revisions.head:
                return
            if found is not None and not revisions.first <= found <= revisions.head:
                raise StartFault(
                    f"the database of {setting} is at revision {found},"
                    f" this release knows {revisions.first} to {revisions.head}"
                )
            connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
            _upgrade(url, revisions)
    except psycopg.Error as error:
        raise StartFault(f"cannot use the database of {setting}: {_line(error)}") from None


def _revision(connection: "psycopg.Connection[tuple[str | None]]", table: str) -> str | None:
    row = connection.execute("SELECT to_regclass(%s)::text", (table,)).fetchone()
    if row is None or row[0] is None:
        return None
    found = connection.execute(
        sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(table))
    ).fetchone()
    return found[0] if found else None


def _upgrade(url: str, revisions: Revisions, to: str = "head") -> None:
    # Half a second of imports, for the few starts that need them.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(revisions.folder).replace("%", "%%"))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
    )
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        config.attributes["version_table"] = revisions.version_table
        command.upgrade(config, to)
        connection.commit()


def _line(error: Exception) -> str:
    """One line for people; libpq says the address in it and never the password."""
    return " ".join(str(error).split()) or type(error).__name__
