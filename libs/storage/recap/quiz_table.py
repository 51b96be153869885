"""The quizzes of named profiles: a row each, so that another device goes on with it."""

from dataclasses import asdict, dataclass
from typing import Final

import sqlalchemy as sa

from libs.storage.recap.insertion import insert_absent
from libs.storage.recap.metadata import METADATA

_QUIZ: Final = sa.Table(
    "quiz",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("profile_id", sa.Text, primary_key=True),
    sa.Column("quiz_id", sa.Text, primary_key=True),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
    # As the service that wrote them encodes them.
    sa.Column("state", sa.LargeBinary, nullable=False),
    sa.Column("result", sa.LargeBinary, nullable=False),
)
_OF_PROFILE: Final = (
    _QUIZ.c.tenant == sa.bindparam("of_tenant"),
    _QUIZ.c.profile_id == sa.bindparam("of_profile"),
)
# The statements of every answer: making one takes longer than SQLite takes for it.
_IS: Final = (*_OF_PROFILE, _QUIZ.c.quiz_id == sa.bindparam("of_quiz"))
_READ: Final = sa.select(_QUIZ.c.expires_ms, _QUIZ.c.state, _QUIZ.c.result).where(*_IS)
_HOLD: Final = _READ.with_for_update()
_WRITE: Final = (
    sa.update(_QUIZ)
    .where(*_IS)
    .values({name: sa.bindparam(name) for name in ("expires_ms", "state", "result")})
)
_REMOVE: Final = sa.delete(_QUIZ).where(*_OF_PROFILE, _QUIZ.c.expires_ms <= sa.bindparam("now_ms"))


@dataclass(frozen=True, slots=True)
class StoredQuiz:
    """A quiz as its service encodes it; `result` is empty until it is over."""

    expires_ms: int
    state: bytes
    result: bytes = b""


def read_quiz(
    connection: sa.Connection, tenant: str, profile_id: str, quiz_id: str, *, holds: bool = False
) -> StoredQuiz | None:
    """A profile's quiz; whoever `holds` it keeps others from changing it until its end."""
    key = {"of_tenant": tenant, "of_profile": profile_id, "of_quiz": quiz_id}
    row = connection.execute(_HOLD if holds else _READ, key).first()
    return None if row is None else StoredQuiz(*row)


def add_quiz(
    connection: sa.Connection, tenant: str, profile_id: str, quiz_id: str, quiz: StoredQuiz
) -> bool:
    """Begin a quiz unless it has begun; whether it was new."""
    key = {"tenant": tenant, "profile_id": profile_id, "quiz_id": quiz_id}
    return insert_absent(connection, _QUIZ, key | asdict(quiz))


def write_quiz(
    connection: sa.Connection, tenant: str, profile_id: str, quiz_id: str, quiz: StoredQuiz
) -> None:
    """Replace a quiz that this transaction holds."""
    key = {"of_tenant": tenant, "of_profile": profile_id, "of_quiz": quiz_id}
    connection.execute(_WRITE, key | asdict(quiz))


def remove_expired_quizzes(
    connection: sa.Connection, tenant: str, profile_id: str, now_ms: int
) -> None:
    """Forget the profile's quizzes that have ended."""
    connection.execute(_REMOVE, {"of_tenant": tenant, "of_profile": profile_id, "now_ms": now_ms})
