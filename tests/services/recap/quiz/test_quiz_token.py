import dataclasses
import hashlib
import hmac

import numpy as np
import pytest

from libs.domain.viewing import Device, Surface, ViewingContext
from libs.faults import InvalidField
from services.recap.quiz.quiz_state import Answered, Asked, QuizState
from services.recap.quiz.quiz_token import VERSION, QuizTokens, decode, encode

NOW_MS = 1_760_000_000_000
KEY = b"t" * 32
TOKENS = QuizTokens(KEY)
STATE = QuizState(
    quiz_id="z",
    profile_id="ไม่มี",
    pack_id="hats",
    context=ViewingContext("Asia/Kolkata", Device.TV, "IN", "hi", Surface.HOME, True, "8a2a"),
    expires_ms=NOW_MS + 1,
    bundle_version="b1",
    title_ids=("t1", "t2"),
    scores=np.array([1.0, -1.0], np.float16),
    answers=(Answered(Asked("mood", 7), "o1"), Answered(Asked("pair:t1:t2", 8), "dont_care")),
    asked=Asked("genre", 2**32 - 1),
)


def same(one: QuizState, two: QuizState) -> bool:
    fields = [field.name for field in dataclasses.fields(QuizState) if field.name != "scores"]
    return one.scores.tobytes() == two.scores.tobytes() and all(
        getattr(one, name) == getattr(two, name) for name in fields
    )


def refused(token: bytes, tokens: QuizTokens = TOKENS, tenant: str = "default") -> str:
    with pytest.raises(InvalidField) as caught:
        tokens.read(tenant, token, now_ms=NOW_MS)
    assert caught.value.field == "state"
    return caught.value.problem


def signed(body: bytes) -> bytes:
    """What somebody with the key would make of it."""
    return hmac.new(KEY, b"default\0" + body, hashlib.sha256).digest() + body


@pytest.mark.parametrize("state", [STATE, dataclasses.replace(STATE, asked=None, answers=())])
def test_a_state_comes_back_as_it_was(state: QuizState) -> None:
    assert same(TOKENS.read("default", TOKENS.sign("default", state), now_ms=NOW_MS), state)
    assert same(decode(encode(state)), state)


def test_it_is_of_one_key_and_one_tenant() -> None:
    token = TOKENS.sign("default", STATE)
    assert "none that was given out" in refused(token, QuizTokens(b"u" * 32))
    assert "none that was given out" in refused(token, tenant="acme")
    assert "none that was given out" in refused(b"\0" * 32 + token[32:])
    assert token == signed(encode(STATE)), "and the others fail by nothing else"


def test_no_part_of_it_is_a_token() -> None:
    token = TOKENS.sign("default", STATE)
    for length in range(len(token)):
        refused(token[:length])


def test_it_ends_at_its_time() -> None:
    ended = dataclasses.replace(STATE, expires_ms=NOW_MS)
    assert "expired" in refused(TOKENS.sign("default", ended))


def test_one_of_another_release_is_told_so() -> None:
    assert "another release" in refused(signed(bytes([VERSION + 1]) + encode(STATE)[1:]))


def test_what_is_larger_than_any_state_is_not_read() -> None:
    digests = (hashlib.sha256(str(number).encode()).hexdigest() for number in range(40_000))
    huge = dataclasses.replace(STATE, title_ids=tuple(digests))
    assert "none that was given out" in refused(TOKENS.sign("default", huge))
