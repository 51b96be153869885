"""Tokens that are believed, and every way to forge one that is not."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from libs.faults import Unauthenticated
from libs.serving.identity import Caller, Role
from libs.serving.token_keys import TokenKey, read_public_keys
from libs.serving.tokens import (
    RENEWED_BEFORE_S,
    SERVICE_LIFETIME_S,
    ServiceTokens,
    TokenVerifier,
    mint,
)
from tests.made_tokens import CLAIMS, NOW_S, RULES, SECRET, SECRET_KEY, signed, write_key_set


class Clock:
    now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def verifier(
    tmp_path: Path, rsa_key: rsa.RSAPrivateKey, ec_key: ec.EllipticCurvePrivateKey, clock: Clock
) -> TokenVerifier:
    file = write_key_set(tmp_path / "keys.json", {"r": rsa_key, "e": ec_key})
    return TokenVerifier([SECRET_KEY, *read_public_keys(file)], RULES, clock)


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header: Mapping[str, Any], key: bytes | None, claims: Mapping[str, Any] = CLAIMS) -> str:
    """A token put together by hand, signed with HMAC over any bytes, or not at all."""
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    tag = b"" if key is None else hmac.digest(key, text.encode(), hashlib.sha256)
    return f"{text}.{base64url(tag)}"


def refused(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        verifier.caller(token)
    return caught.value.problem


def test_a_secrets_token_tells_tenant_roles_and_name(verifier: TokenVerifier) -> None:
    token = signed({"roles": ["service", "viewer", "a role of a later release"]})
    found = verifier.caller(token)
    assert found == Caller("acme", frozenset({Role.SERVICE, Role.VIEWER}), "somebody")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
@pytest.mark.parametrize("with_id", [True, False])
def test_a_providers_token_is_believed_but_makes_no_service(
    verifier: TokenVerifier,
    rsa_key: rsa.RSAPrivateKey,
    ec_key: ec.EllipticCurvePrivateKey,
    algorithm: str,
    with_id: bool,
) -> None:
    key, key_id = (rsa_key, "r") if algorithm == "RS256" else (ec_key, "e")
    claims = {**CLAIMS, "roles": ["service", "operator"]}
    headers = {"kid": key_id} if with_id else None
    token = jwt.encode(claims, key, algorithm=algorithm, headers=headers)
    assert verifier.caller(token).roles == {Role.OPERATOR}


def test_a_forged_token_is_refused(verifier: TokenVerifier, rsa_key: rsa.RSAPrivateKey) -> None:
    pem = public_pem(rsa_key)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    head, body, tag = signed().split(".")
    grown = base64url(json.dumps({**CLAIMS, "tenant": "other"}).encode())
    tokens = [
        forged({"alg": "none"}, None),
        forged({"alg": "None", "typ": "JWT"}, None),
        forged({"alg": "HS256"}, None),
        forged({"alg": "HS256"}, b""),
        # The public key, which everybody has, taken for a secret.
        forged({"alg": "HS256"}, pem),
        forged({"alg": "HS256", "kid": "r"}, pem),
        forged({"alg": "HS256", "kid": "r"}, pem.strip()),
        forged({"alg": "RS256", "kid": "r"}, pem),
        forged({"alg": "HS512", "kid": ""}, SECRET),
        forged({"alg": "HS256", "crit": ["x"]}, SECRET),
        jwt.encode(dict(CLAIMS), other, algorithm="RS256", headers={"kid": "r"}),
        jwt.encode(dict(CLAIMS), rsa_key, algorithm="RS256", headers={"kid": "e"}),
        jwt.encode(dict(CLAIMS), rsa_key, algorithm="RS512", headers={"kid": "r"}),
        jwt.encode(dict(CLAIMS), rsa_key, algorithm="PS256", headers={"kid": "r"}),
        f"{head}.{grown}.{tag}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{tag[:-4]}AAAA",
        "",
        ".",
        "..",
        "a.b.c",
        "\x00",
        "é" * 100,
        "x" * 10_000,
    ]
    for token in tokens:
        assert refused(verifier, token), token


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"exp": None}, "no claim 'exp'"),
        ({"aud": None}, "no claim 'aud'"),
        ({"iss": None}, "no claim 'iss'"),
        ({"tenant": None}, "no claim 'tenant'"),
        ({"roles": None}, "no claim 'roles'"),
        ({"aud": "another"}, "another audience"),
        ({"aud": ["another", "third"]}, "another audience"),
        ({"iss": "another"}, "another issuer"),
        ({"exp": int(NOW_S) - 31}, "expired"),
        ({"nbf": int(NOW_S) + 31}, "not valid yet"),
        ({"exp": True}, "no time"),
        ({"exp": "tomorrow"}, "no time"),
        ({"exp": 10**400}, "no time"),
        ({"exp": float("nan")}, "expired"),
        ({"nbf": float("nan")}, "not valid yet"),
        ({"roles": "service"}, "no list"),
        ({"tenant": ""}, "tenant"),
        ({"tenant": "../acme"}, "tenant"),
        ({"tenant": "Acme"}, "tenant"),
        ({"tenant": 7}, "no text"),
    ],
)
def test_a_token_with_the_wrong_claims_is_refused(
    verifier: TokenVerifier, changes: dict[str, Any], problem: str
) -> None:
    token = forged({"alg": "HS256"}, SECRET, _without_none({**CLAIMS, **changes}))
    assert problem in refused(verifier, token)


def _without_none(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}


def test_clocks_may_differ_by_the_leeway(verifier: TokenVerifier) -> None:
    found = verifier.caller(signed({"exp": int(NOW_S) - 29, "nbf": int(NOW_S) + 29}))
    assert found.tenant == "acme"


def test_a_token_that_was_believed_expires_all_the_same(
    verifier: TokenVerifier, clock: Clock
) -> None:
    token = signed()
    assert verifier.caller(token) == verifier.caller(token)
    clock.now_s += 600 + 31
    assert refused(verifier, token) == "the token has expired"
    assert refused(verifier, token) == "the token has expired"


def test_roles_that_a_key_may_not_give_open_nothing(clock: Clock) -> None:
    key = TokenKey("", "HS256", frozenset({Role.VIEWER}), SECRET)
    found = TokenVerifier([key], RULES, clock).caller(signed({"roles": ["operator"]}))
    assert not found.roles


def test_a_service_token_is_made_once_a_tenant_and_again_before_it_expires(
    verifier: TokenVerifier, clock: Clock
) -> None:
    tokens = ServiceTokens("ranking", SECRET_KEY, RULES, clock)
    first = tokens.metadata("acme")
    assert tokens.metadata("acme") is first
    assert tokens.metadata("other") != first
    [(name, value)] = first
    assert name == "authorization"
    found = verifier.caller(value.removeprefix("Bearer "))
    assert found == Caller("acme", frozenset({Role.SERVICE}), "ranking")
    clock.now_s += SERVICE_LIFETIME_S - RENEWED_BEFORE_S
    assert tokens.metadata("acme") != first


def test_no_secret_is_told(clock: Clock) -> None:
    assert SECRET.decode() not in repr(SECRET_KEY)
    token = mint(SECRET_KEY, RULES, Caller("a", frozenset()), now_s=NOW_S, lifetime_s=1)
    with pytest.raises(Unauthenticated) as caught:
        TokenVerifier([SECRET_KEY], RULES, lambda: NOW_S + 600).caller(token)
    assert token not in str(caught.value)
