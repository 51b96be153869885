"""The quizzes of named profiles: a row each, so that another device goes on with it."""

from dataclasses import dataclass
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
    chosen = sa.select(_QUIZ.c.expires_ms, _QUIZ.c.state, _QUIZ.c.result).where(
        *_is(tenant, profile_id, quiz_id)
    )
    row = connection.execute(chosen.with_for_update() if holds else chosen).first()
    return None if row is None else StoredQuiz(*row)


def add_quiz(
    connection: sa.Connection, tenant: str, profile_id: str, quiz_id: str, quiz: StoredQuiz
) -> bool:
    """Begin a quiz unless it has begun; whether it was new."""
    values = {
        "tenant": tenant,
        "profile_id": profile_id,
        "quiz_id": quiz_id,
        "expires_ms": quiz.expires_ms,
        "state": quiz.state,
        "result": quiz.result,
    }
    return insert_absent(connection, _QUIZ, values)


def write_quiz(
    connection: sa.Connection, tenant: str, profile_id: str, quiz_id: str, quiz: StoredQuiz
) -> None:
    """Replace a quiz that this transaction holds."""
    connection.execute(
        sa.update(_QUIZ)
        .where(*_is(tenant, profile_id, quiz_id))
        .values(expires_ms=quiz.expires_ms, state=quiz.state, result=quiz.result)
    )


def remove_expired_quizzes(
    connection: sa.Connection, tenant: str, profile_id: str, now_ms: int
) -> None:
    """Forget the profile's quizzes that have ended."""
    connection.execute(
        sa.delete(_QUIZ).where(
            _QUIZ.c.tenant == tenant,
            _QUIZ.c.profile_id == profile_id,
            _QUIZ.c.expires_ms <= now_ms,
        )
    )


def _is(tenant: str, profile_id: str, quiz_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _QUIZ.c.tenant == tenant,
        _QUIZ.c.profile_id == profile_id,
        _QUIZ.c.quiz_id == quiz_id,
    )
