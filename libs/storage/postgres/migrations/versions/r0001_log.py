"""Log, ids, batches, decisions and profiles."""

from typing import Final

from alembic import op

revision: Final = "0001"
down_revision: Final = None

# Ordered by code point, as Python does.
_ID: Final = 'text COLLATE "C" NOT NULL'

_STATEMENTS: Final = (
    # One row an event, in partitions by occurred_ms that are made as they are needed.
    f"""
    CREATE TABLE events (
        tenant {_ID}, batch_id bigint NOT NULL, event_id {_ID},
        profile_id {_ID}, session_id text NOT NULL, kind smallint NOT NULL,
        occurred_ms bigint NOT NULL, sequence bigint NOT NULL, title_id {_ID},
        time_zone text NOT NULL, device smallint NOT NULL, country text NOT NULL,
        language text NOT NULL, surface smallint NOT NULL, kids boolean NOT NULL,
        geo_cell text NOT NULL, page_id {_ID}, row_index bigint, position bigint,
        policy text, propensity double precision, model_version text, index_version text, arm text,
        from_ms bigint, to_ms bigint, duration_ms bigint,
        rating_value double precision, rating_scale double precision,
        thumb smallint, is_listed boolean, detail text, recorded_ms bigint NOT NULL,
        schema_version smallint NOT NULL,
        engagement double precision NOT NULL, opinion smallint NOT NULL, daypart smallint NOT NULL
    ) PARTITION BY RANGE (occurred_ms)
    """,
    # A profile's history, and the log by time; both orders are (occurred_ms, sequence, event_id).
    "CREATE INDEX events_by_profile ON events (tenant, profile_id, occurred_ms)",
    "CREATE INDEX events_by_time ON events (tenant, occurred_ms)",
    "CREATE INDEX events_by_batch ON events (tenant, batch_id)",
    # Impressions whose decision has not come yet; an entry goes when it does.
    """
    CREATE INDEX events_unattributed ON events (tenant, page_id)
        WHERE kind = 1 AND propensity IS NULL
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
        tenant {_ID}, page_id {_ID}, profile_id {_ID},
        decided_ms bigint NOT NULL, recorded_ms bigint NOT NULL, policy text NOT NULL,
        model_version text NOT NULL, index_version text NOT NULL, purpose smallint NOT NULL,
        surface smallint NOT NULL, slate text NOT NULL, degraded text NOT NULL,
        removed text NOT NULL, arm text NOT NULL, PRIMARY KEY (tenant, page_id)
    )
    """,
    "CREATE INDEX decisions_by_age ON decisions (recorded_ms)",
    "CREATE INDEX decisions_by_profile ON decisions (tenant, profile_id)",
    f"""
    CREATE TABLE profiles (
        tenant {_ID}, profile_id {_ID}, batch_id bigint NOT NULL,
        account_id text NOT NULL, kids boolean NOT NULL, maturity_limit_years bigint,
        country text NOT NULL, languages text NOT NULL, time_zone text NOT NULL,
        given_consents text NOT NULL, refused_consents text NOT NULL,
        PRIMARY KEY (tenant, profile_id)
    )
    """,
    "CREATE INDEX profiles_by_batch ON profiles (tenant, batch_id)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
