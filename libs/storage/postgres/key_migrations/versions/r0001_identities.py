"""Who the numbers of the log are, and the key of each."""

from typing import Final

from alembic import op

revision: Final = "0001"
down_revision: Final = None

# A partition is written anew when keys in it were destroyed, which keeps its readers waiting.
_PARTITIONS: Final = 32


def upgrade() -> None:
    """Make the tables."""
    # `sealed` holds the key and the profile_id, encrypted; NULL once they were destroyed.
    op.execute(
        """
        CREATE TABLE identities (
            tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL,
            person bigint NOT NULL, sealed bytea, is_scrubbed boolean NOT NULL DEFAULT false,
            PRIMARY KEY (tenant, pseudonym)
        ) PARTITION BY HASH (tenant, pseudonym)
        """
    )
    op.execute("CREATE INDEX identities_by_person ON identities (tenant, person)")
    op.execute(
        "CREATE INDEX identities_destroyed ON identities (tenant)"
        " WHERE sealed IS NULL AND NOT is_scrubbed"
    )
    for number in range(_PARTITIONS):
        op.execute(
            f"CREATE TABLE identities_{number:02} PARTITION OF identities"
            f" FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {number})"
        )
        # What the planner samples is a copy that outlives the row.
        op.execute(f"ALTER TABLE identities_{number:02} ALTER COLUMN sealed SET STATISTICS 0")
    op.execute("ALTER TABLE identities ALTER COLUMN sealed SET STATISTICS 0")
    # Tells with which secret all of it was made.
    op.execute("CREATE TABLE identity_secret (is_one boolean PRIMARY KEY, fingerprint text)")
