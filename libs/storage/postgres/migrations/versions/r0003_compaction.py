"""What is kept of compacted events, and how far the log was followed."""

from typing import Final

from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"

# Ordered by code point, as Python does.
_ID: Final = 'text COLLATE "C" NOT NULL'

_STATEMENTS: Final = (
    # Up to when a tenant's events may be compacted, and how many are.
    f"""
    CREATE TABLE compactions (
        tenant {_ID}, until_ms bigint NOT NULL, event_count bigint NOT NULL,
        feature_schema integer NOT NULL, PRIMARY KEY (tenant)
    )
    """,
    # 8 bytes of a hash of an event's id: that it was there, and nothing else of it.
    f"CREATE TABLE compacted_ids (tenant {_ID}, id bigint NOT NULL, PRIMARY KEY (tenant, id))",
    # What events have made of a profile, of its titles and of its days; sealed is what they say.
    f"""
    CREATE TABLE profile_bases (
        tenant {_ID}, person bigint NOT NULL, event_count bigint NOT NULL,
        oldest_ms bigint NOT NULL, newest_ms bigint NOT NULL, sealed bytea NOT NULL,
        PRIMARY KEY (tenant, person)
    )
    """,
    f"""
    CREATE TABLE title_bases (
        tenant {_ID}, person bigint NOT NULL, title_id {_ID}, sealed bytea NOT NULL,
        PRIMARY KEY (tenant, person, title_id)
    )
    """,
    f"""
    CREATE TABLE profile_days (
        tenant {_ID}, person bigint NOT NULL, day integer NOT NULL, title_id {_ID},
        sealed bytea NOT NULL, PRIMARY KEY (tenant, person, day, title_id)
    )
    """,
    # What events have added to the counters of titles; read of everybody at once.
    f"""
    CREATE TABLE title_shares (
        tenant {_ID}, person bigint NOT NULL, title_id {_ID}, country {_ID},
        at_ms bigint NOT NULL, cells bytea NOT NULL,
        PRIMARY KEY (tenant, person, title_id, country)
    )
    """,
    # Shares of who was erased, until they are taken out of the counters of titles.
    f"""
    CREATE TABLE withdrawn_shares (
        tenant {_ID}, erased_xid xid8 NOT NULL, title_id {_ID}, country {_ID},
        at_ms bigint NOT NULL, cells bytea NOT NULL
    )
    """,
    "CREATE INDEX withdrawn_shares_by_xid ON withdrawn_shares (erased_xid)",
    # One row: below which number of a transaction all is in the features, and may be compacted.
    # None where nobody has followed yet, who will begin with everything.
    "CREATE TABLE followed (xid xid8 NOT NULL)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
