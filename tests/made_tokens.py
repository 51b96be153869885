"""Keys and tokens for tests that need an identity."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from libs.serving.identity import Caller, Metadata, Role
from libs.serving.token_keys import TokenKey
from libs.serving.tokens import TokenRules, TokenVerifier, mint

NOW_S: Final = 1_760_000_000.0
SECRET: Final = b"a-secret-of-thirty-two-characters"
RULES: Final = TokenRules("reprise", "reprise", 30)
SECRET_KEY: Final = TokenKey("", "HS256", frozenset(Role), SECRET)

CLAIMS: Final[Mapping[str, Any]] = {
    "iss": "reprise",
    "aud": "reprise",
    "sub": "somebody",
    "tenant": "acme",
    "roles": ["viewer"],
    "exp": int(NOW_S) + 600,
}


def signed(changes: Mapping[str, Any] = {}, key: Any = SECRET, algorithm: str = "HS256") -> str:
    """A token of CLAIMS with changes; a claim changed to None is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm)


def bearer(tenant: str, *roles: Role) -> Metadata:
    """The metadata of a caller at NOW_S."""
    caller = Caller(tenant, frozenset(roles), "a test")
    token = mint(SECRET_KEY, RULES, caller, now_s=NOW_S, lifetime_s=600)
    return (("authorization", f"Bearer {token}"),)


def verifier() -> TokenVerifier:
    """One that knows SECRET, and whose clock stands at NOW_S."""
    return TokenVerifier([SECRET_KEY], RULES, lambda: NOW_S)


def write_key_set(file: Path, keys: Mapping[str, Any]) -> Path:
    """Write the public halves of private keys by their ids."""
    found = []
    for key_id, key in keys.items():
        kind = jwt.algorithms.RSAAlgorithm if is_rsa(key) else jwt.algorithms.ECAlgorithm
        found.append({**kind.to_jwk(key.public_key(), as_dict=True), "kid": key_id})
    file.write_text(json.dumps({"keys": found}))
    return file


def is_rsa(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bool:
    return isinstance(key, rsa.RSAPrivateKey)
