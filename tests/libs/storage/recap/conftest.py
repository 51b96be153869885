"""The databases that every table of recap must work in."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from libs.storage.recap.database import Database, open_file, open_server
from tests.made_databases import PostgresDatabases

# Opens the same database each time: again after it was closed, or as another replica.
Open: TypeAlias = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgres"])
def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "sqlite":
        return lambda: open_file(tmp_path / "recap" / "recap.sqlite")
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    url = databases.empty()
    return lambda: open_server(url)


@pytest.fixture
def database(open_database: Open) -> Iterator[Database]:
    with contextlib.closing(open_database()) as opened:
        yield opened
