"""How far the log was followed, noted in the log itself: what is compacted is below that.

Whoever follows finds an event in the log or has taken it over. Who makes all features anew says so
between two steps of compaction, and reads bases and events of one moment after that.
"""

from typing import Final

from libs.storage.postgres.database import Connection

# Held by a step of compaction until its transaction ends.
_LOCK: Final = 7_400_004

# Above all numbers.
NO_LIMIT: Final = 2**63 - 1

# The condition of events that may be compacted where `followed` is what `read` has said: of batches
# that are not followed all have numbers from the lowest of them on. A value, not a query, so that
# the server knows how few those are.
IS_FOLLOWED: Final = (
    "batch_id < coalesce((SELECT min(batch_id) FROM batches WHERE batches.tenant = %(tenant)s"
    " AND written_xid >= %(followed)s::text::xid8), 9223372036854775807)"
)


def try_lock(connection: Connection) -> bool:
    """Become the one that compacts until the transaction ends; False where another one does."""
    [(is_mine,)] = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchall()
    return bool(is_mine)


def lock(connection: Connection) -> None:
    """As `try_lock`, after the other one."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def read(connection: Connection) -> int | None:
    """Below which number all is in the features; None where nobody has ever followed."""
    row = connection.execute("SELECT xid::text::bigint FROM followed").fetchone()
    return None if row is None else int(row[0])


def write(connection: Connection, xid: int) -> None:
    """Begin from there; belongs in a transaction that holds the lock."""
    connection.execute("DELETE FROM followed")
    connection.execute("INSERT INTO followed VALUES (%s::text::xid8)", (str(xid),))


def advance(connection: Connection, xid: int) -> None:
    """Note that the log was followed to there, if it was not noted to be further."""
    connection.execute(
        "UPDATE followed SET xid = %s::text::xid8 WHERE xid < %s::text::xid8", (str(xid), str(xid))
    )
