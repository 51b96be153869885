"""Brings a database to the tables of this release, with Alembic."""

from pathlib import Path
from typing import Final

import psycopg

from libs.faults import StartFault

# The last revision below `migrations/versions`.
HEAD: Final = "0001"

_FOLDER: Final = Path(__file__).parent / "migrations"

# Replicas that start together take turns; the number only has to be nobody else's.
MIGRATION_LOCK: Final = 7_400_001


def migrate(url: str) -> None:
    """Make what is missing; nothing happens where the revision is HEAD.

    Raises StartFault when the database cannot be reached or is of a later release.
    """
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            found = _revision(connection)
            if found == HEAD:
                return
            if found is not None and found > HEAD:
                raise StartFault(
                    f"the database of REPRISE_EVENTS_URL is at revision {found},"
                    f" this release knows {HEAD}"
                )
            connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
            _upgrade(url)
    except psycopg.Error as error:
        raise StartFault(f"cannot use the database of REPRISE_EVENTS_URL: {_line(error)}") from None


def _revision(connection: "psycopg.Connection[tuple[str | None]]") -> str | None:
    row = connection.execute("SELECT to_regclass('alembic_version')::text").fetchone()
    if row is None or row[0] is None:
        return None
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return found[0] if found else None


def _upgrade(url: str) -> None:
    # Half a second of imports, for the few starts that need them.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
    )
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def _line(error: Exception) -> str:
    """One line for people; libpq says the address in it and never the password."""
    return " ".join(str(error).split()) or type(error).__name__
