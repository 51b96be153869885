"""Servers for the tests of this folder, started once a session."""

from collections.abc import Iterator

import pytest

from tests.made_databases import PostgresDatabases
from tests.made_servers import FAST, running_postgres


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    with running_postgres(*FAST) as server:
        databases = PostgresDatabases(server)
        yield databases
        databases.close()
