"""The state of a quiz as bytes: what a store keeps, and what a viewer carries under a signature.

HMAC-SHA-256 (RFC 2104) over tenant and state, with a key of its own: what was changed on the way,
or is another tenant's, is refused before it is read.
"""

import base64
import hashlib
import hmac
import json
import zlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from libs.faults import InvalidField
from libs.storage.context_values import context_of, context_values
from services.recap.quiz.length import Length
from services.recap.quiz.quiz_state import Answered, Asked, QuizState

# What the key of tokens is derived by.
KEY_PURPOSE: Final = "quiz token"

# Raised with every change of what follows it.
VERSION: Final = 2
_TAG_BYTES: Final = 32
# A pool of 500 with the longest ids is a tenth of this.
_MOST_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class QuizTokens:
    """Tokens under one key."""

    _key: bytes = field(repr=False)

    def sign(self, tenant: str, state: QuizState) -> bytes:
        """What a viewer carries."""
        body = encode(state)
        return self._tag(tenant, body) + body

    def read(self, tenant: str, token: bytes, *, now_ms: int) -> QuizState:
        """The state of a token; raises InvalidField where it is not ours, or too old."""
        if not token:
            raise InvalidField("state", "must be given")
        tag, body = token[:_TAG_BYTES], token[_TAG_BYTES:]
        if len(token) > _MOST_BYTES or not hmac.compare_digest(tag, self._tag(tenant, body)):
            raise InvalidField("state", "is none that was given out here")
        state = decode(body)
        if now_ms >= state.expires_ms:
            raise InvalidField("state", "has expired; start another quiz")
        return state

    def _tag(self, tenant: str, body: bytes) -> bytes:
        # A tenant holds no NUL, so no two pairs are the same bytes.
        return hmac.new(self._key, tenant.encode() + b"\0" + body, hashlib.sha256).digest()


def encode(state: QuizState) -> bytes:
    """The bytes of a state."""
    value = [
        state.quiz_id,
        state.profile_id,
        state.pack_id,
        context_values(state.context),
        state.expires_ms,
        state.bundle_version,
        state.title_ids,
        base64.b64encode(state.scores.astype("<f2").tobytes()).decode(),
        [(one.asked.question_id, one.asked.stamp, one.option_id) for one in state.answers],
        None if state.asked is None else (state.asked.question_id, state.asked.stamp),
        (state.length.most_answers, state.length.asks_on, state.length.kinds),
    ]
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return bytes([VERSION]) + zlib.compress(text.encode(), 1)


def decode(body: bytes) -> QuizState:
    """The inverse of `encode`; raises InvalidField for one of another release."""
    if body[:1] != bytes([VERSION]):
        raise InvalidField("state", "is of another release; start another quiz")
    value = json.loads(zlib.decompress(body[1:]))
    quiz_id, profile_id, pack_id, seen, expires_ms, version, ids, scores, *rest = value
    answers, asked, (most_answers, asks_on, kinds) = rest
    return QuizState(
        quiz_id=quiz_id,
        profile_id=profile_id,
        pack_id=pack_id,
        context=context_of(seen),
        expires_ms=expires_ms,
        bundle_version=version,
        title_ids=tuple(ids),
        scores=np.frombuffer(base64.b64decode(scores), "<f2").astype(np.float16),
        answers=tuple(Answered(Asked(one, stamp), option) for one, stamp, option in answers),
        asked=None if asked is None else Asked(*asked),
        length=Length(most_answers, asks_on, tuple(kinds)),
    )
