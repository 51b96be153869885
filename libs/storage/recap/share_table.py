"""Shares: what was shared, of whom, until when; the content is what was previewed."""

from dataclasses import asdict, dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from libs.storage.recap.database import Database
from libs.storage.recap.metadata import METADATA
from libs.storage.recap.personal_tables import PersonalTables

# Of one profile that have not expired; more is a client that makes them in a loop.
MOST_SHARES: Final = 1_000

_SHARES: Final = sa.Table(
    "share",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("profile_id", sa.Text, primary_key=True),
    sa.Column("share_id", sa.Text, primary_key=True),
    # What the token names; tells nothing of whose it is.
    sa.Column("link_id", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    # Empty once revoked.
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
    sa.Column("is_revoked", sa.Boolean, nullable=False),
    sa.Index("share_by_link", "tenant", "link_id", unique=True),
)


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One share; times are Unix ms."""

    profile_id: str
    share_id: str
    link_id: str
    digest: str
    content: str
    expires_ms: int
    is_revoked: bool = False


class ShareTable:
    """Shares by profile and by token."""

    def __init__(self, database: Database, personal: PersonalTables) -> None:
        self._database = database
        self._personal = personal

    def create(self, tenant: str, row: ShareRow, *, now_ms: int) -> ShareRow | None:
        """Store a share, or return the one of the same id; None of an erased profile.

        Shares of the profile that have expired are deleted on the way. With MOST_SHARES left the
        one that expires first goes.
        """
        with self._database.write() as connection:
            if self._personal.is_erased(connection, tenant, row.profile_id):
                return None
            of_profile = (_SHARES.c.tenant == tenant) & (_SHARES.c.profile_id == row.profile_id)
            connection.execute(
                sa.delete(_SHARES).where(of_profile & (_SHARES.c.expires_ms <= now_ms))
            )
            kept = connection.execute(
                sa.select(_SHARES.c.share_id)
                .where(of_profile & (_SHARES.c.share_id != row.share_id))
                .order_by(_SHARES.c.expires_ms.desc(), _SHARES.c.share_id)
                .offset(MOST_SHARES - 1)
            ).scalars()
            for share_id in kept.all():
                connection.execute(
                    sa.delete(_SHARES).where(of_profile & (_SHARES.c.share_id == share_id))
                )
            values = {"tenant": tenant, **asdict(row)}
            # Another replica may be making the same one.
            if connection.dialect.name == "postgresql":
                connection.execute(postgresql.insert(_SHARES).on_conflict_do_nothing(), values)
            else:
                connection.execute(sqlite.insert(_SHARES).on_conflict_do_nothing(), values)
            stored = connection.execute(
                sa.select(_SHARES).where(of_profile & (_SHARES.c.share_id == row.share_id))
            ).one()
        return _row(stored)

    def of_id(self, tenant: str, profile_id: str, share_id: str) -> ShareRow | None:
        """A share by its id, whether or not it has ended."""
        with self._database.read() as connection:
            found = connection.execute(
                sa.select(_SHARES).where(
                    _SHARES.c.tenant == tenant,
                    _SHARES.c.profile_id == profile_id,
                    _SHARES.c.share_id == share_id,
                )
            ).first()
        return None if found is None else _row(found)

    def find(self, tenant: str, link_id: str) -> ShareRow | None:
        """The share of a token, whether or not it has ended."""
        with self._database.read() as connection:
            found = connection.execute(
                sa.select(_SHARES).where(_SHARES.c.tenant == tenant, _SHARES.c.link_id == link_id)
            ).first()
        return None if found is None else _row(found)

    def revoke(self, tenant: str, profile_id: str, share_id: str, *, now_ms: int) -> int:
        """End a share, or with "" all of the profile's; how many ended by this.

        Their content is forgotten; that they were is kept until they would have expired.
        """
        which = (
            (_SHARES.c.tenant == tenant)
            & (_SHARES.c.profile_id == profile_id)
            & ~_SHARES.c.is_revoked
            & (_SHARES.c.expires_ms > now_ms)
        )
        if share_id:
            which &= _SHARES.c.share_id == share_id
        with self._database.write() as connection:
            ended = connection.execute(
                sa.update(_SHARES).where(which).values(is_revoked=True, content="")
            )
        return ended.rowcount


def _row(found: sa.Row[tuple[object, ...]]) -> ShareRow:
    values = found._mapping  # noqa: SLF001 - SQLAlchemy's own name for it
    return ShareRow(
        profile_id=values["profile_id"],
        share_id=values["share_id"],
        link_id=values["link_id"],
        digest=values["digest"],
        content=values["content"],
        expires_ms=values["expires_ms"],
        is_revoked=values["is_revoked"],
    )
