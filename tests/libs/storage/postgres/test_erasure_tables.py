"""What is asked of tombstones again and again reads those that wait, however many there are."""

from contextlib import closing

import psycopg

from libs.storage.postgres import erasure_tables
from tests.made_databases import PostgresDatabases


def test_looking_for_what_waits_reads_no_tombstone_that_is_done(
    postgres_databases: PostgresDatabases,
) -> None:
    url = postgres_databases.fresh()
    with closing(postgres_databases.store(url)), psycopg.connect(url, autocommit=True) as made:
        made.execute(
            "INSERT INTO erasures (tenant, pseudonym, erased_xid, is_complete, is_forgotten,"
            " receipt) SELECT 'default', 'p' || n, '1', n > 2, n > 2, '{}'"
            " FROM generate_series(1, 5000) AS n"
        )
        made.execute("ANALYZE erasures")
        assert erasure_tables.pending(made) == [("default", "p1"), ("default", "p2")]
        assert erasure_tables.unforgotten(made) == []
        plan = made.execute(f"EXPLAIN {erasure_tables.PENDING}").fetchall()
    said = " ".join(line for (line,) in plan)
    assert "erasures_pending" in said
    assert "Seq Scan" not in said
    postgres_databases.give_back(url)
