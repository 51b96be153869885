"""Log, ids, batches, decisions, profiles and erasures.

A profile is a number here, `person`; whose it is is in the store of keys, and what could tell it
is sealed with the key of the profile (`libs.storage.postgres.identities`).
"""

from typing import Final

from alembic import op

revision: Final = "0002"
down_revision: Final = None

# Ordered by code point, as Python does.
_ID: Final = 'text COLLATE "C" NOT NULL'

_STATEMENTS: Final = (
    # One row an event, in partitions by occurred_ms that are made as they are needed.
    f"""
    CREATE TABLE events (
        tenant {_ID}, batch_id bigint NOT NULL, event_id {_ID},
        person bigint NOT NULL, sealed bytea, kind smallint NOT NULL,
        occurred_ms bigint NOT NULL, sequence bigint NOT NULL, title_id {_ID},
        device smallint NOT NULL, country text NOT NULL,
        surface smallint NOT NULL, kids boolean NOT NULL,
        page_id {_ID}, row_index bigint, position bigint,
        policy text, propensity double precision, model_version text, index_version text, arm text,
        from_ms bigint, to_ms bigint, duration_ms bigint,
        rating_value double precision, rating_scale double precision,
        thumb smallint, is_listed boolean, recorded_ms bigint NOT NULL,
        schema_version smallint NOT NULL,
        engagement double precision NOT NULL, opinion smallint NOT NULL, daypart smallint NOT NULL
    ) PARTITION BY RANGE (occurred_ms)
    """,
    # A profile's history, and the log by time; both orders are (occurred_ms, sequence, event_id).
    "CREATE INDEX events_by_person ON events (tenant, person, occurred_ms)",
    "CREATE INDEX events_by_time ON events (tenant, occurred_ms)",
    "CREATE INDEX events_by_batch ON events (tenant, batch_id)",
    # Impressions whose decision has not come yet; an entry goes when it does.
    """
    CREATE INDEX events_unattributed ON events (tenant, page_id)
        WHERE kind = 1 AND propensity IS NULL
    """,
    # What a thumb undoes is the one before it, of however many.
    """
    CREATE INDEX events_thumbs
        ON events (tenant, person, title_id, occurred_ms, sequence, event_id)
        WHERE kind = 10
    """,
    # A unique constraint of a partitioned table must contain occurred_ms, on which two tries of
    # one event may disagree: the constraint is here.
    f"""
    CREATE TABLE event_ids (
        tenant {_ID}, event_id {_ID}, PRIMARY KEY (tenant, event_id)
    )
    """,
    # What one transaction wrote for one tenant: the log in the order in which it is followed.
    "CREATE SEQUENCE batch_numbers",
    # Who follows the log takes the next: what a predecessor still has under way is then refused.
    "CREATE SEQUENCE follower_numbers",
    f"""
    CREATE TABLE batches (
        tenant {_ID}, batch_id bigint NOT NULL, written_xid xid8 NOT NULL,
        written_at timestamptz NOT NULL, event_count bigint NOT NULL, profile_count bigint NOT NULL,
        from_ms bigint NOT NULL,
        PRIMARY KEY (tenant, batch_id)
    )
    """,
    "CREATE INDEX batches_by_xid ON batches (written_xid)",
    f"""
    CREATE TABLE decisions (
        tenant {_ID}, page_id {_ID}, person bigint NOT NULL,
        decided_ms bigint NOT NULL, recorded_ms bigint NOT NULL, policy text NOT NULL,
        model_version text NOT NULL, index_version text NOT NULL, purpose smallint NOT NULL,
        surface smallint NOT NULL, slate text NOT NULL, degraded text NOT NULL,
        removed text NOT NULL, arm text NOT NULL, PRIMARY KEY (tenant, page_id)
    )
    """,
    "CREATE INDEX decisions_by_age ON decisions (recorded_ms)",
    "CREATE INDEX decisions_by_person ON decisions (tenant, person)",
    f"""
    CREATE TABLE profiles (
        tenant {_ID}, person bigint NOT NULL, batch_id bigint NOT NULL, sealed bytea NOT NULL,
        PRIMARY KEY (tenant, person)
    )
    """,
    "CREATE INDEX profiles_by_batch ON profiles (tenant, batch_id)",
    # Tombstones; `erased_xid` is the place of the erasure in the log as it is followed.
    f"""
    CREATE TABLE erasures (
        tenant {_ID}, pseudonym {_ID}, erased_xid xid8 NOT NULL, is_complete boolean NOT NULL,
        is_forgotten boolean NOT NULL DEFAULT false, receipt text NOT NULL,
        PRIMARY KEY (tenant, pseudonym)
    )
    """,
    "CREATE INDEX erasures_pending ON erasures (tenant) WHERE NOT is_forgotten",
    # What erased events had added to the counters of titles, until it is taken out of them.
    f"""
    CREATE TABLE withdrawn (
        tenant {_ID}, erased_xid xid8 NOT NULL, batch_id bigint NOT NULL,
        person bigint NOT NULL, place bigint NOT NULL, title_id {_ID}, country text NOT NULL,
        kind smallint NOT NULL, occurred_ms bigint NOT NULL,
        engagement double precision NOT NULL, opinion smallint NOT NULL, device smallint NOT NULL,
        daypart smallint NOT NULL
    )
    """,
    "CREATE INDEX withdrawn_by_xid ON withdrawn (erased_xid)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
