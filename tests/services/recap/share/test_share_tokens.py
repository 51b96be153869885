"""Tokens that only the holder of the key can make."""

from hypothesis import given
from hypothesis import strategies as st

from libs.storage.pseudonyms import Pseudonyms
from services.recap.share.share_tokens import NOBODY, Claim, ShareTokens

TOKENS = ShareTokens.of(Pseudonyms(bytes(range(32))))
OTHERS = ShareTokens.of(Pseudonyms(bytes(range(1, 33))))
ID = "0123456789abcdef0123456789abcdef"


def test_a_token_names_its_share_and_is_always_the_same() -> None:
    token = TOKENS.token("acme", ID)
    assert token == TOKENS.token("acme", ID)
    assert len(token) == 64
    assert TOKENS.claim("acme", token) == Claim(ID, is_genuine=True)


def test_ids_are_not_the_same_twice() -> None:
    assert len({TOKENS.new_id() for _ in range(100)}) == 100


def test_a_token_of_another_tenant_or_key_is_nobodys() -> None:
    token = TOKENS.token("acme", ID)
    assert TOKENS.claim("bravo", token) == Claim(NOBODY, is_genuine=False)
    assert OTHERS.claim("acme", token) == Claim(NOBODY, is_genuine=False)


@given(st.integers(0, 63), st.sampled_from("ABCxyz019-_=+/ é"))
def test_a_token_with_another_letter_is_nobodys(place: int, letter: str) -> None:
    token = TOKENS.token("acme", ID)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        assert TOKENS.claim("acme", changed) == Claim(NOBODY, is_genuine=False)


@given(st.text(max_size=400) | st.binary(max_size=100).map(bytes.hex))
def test_no_text_is_a_token(text: str) -> None:
    assert TOKENS.claim("acme", text) == Claim(NOBODY, is_genuine=False)
