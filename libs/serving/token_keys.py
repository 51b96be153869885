"""The keys that tokens are believed by: shared secrets and public keys, each for one algorithm."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jwt

from libs.faults import StartFault
from libs.serving.identity import Role

# As long as the hash that HS256 signs with: RFC 7518, 3.2.
LEAST_SECRET_BYTES: Final = 32

_SHARED_ALGORITHM: Final = "HS256"
# Which kind of public key is for which algorithm; a key in the file cannot choose another one.
_PUBLIC_ALGORITHMS: Final = {("RSA", None): "RS256", ("EC", "P-256"): "ES256"}
LEAST_RSA_BITS: Final = 2048

# Whoever holds the suite's own secret may be any of it.
_SECRET_ROLES: Final = frozenset(Role)
# An identity provider speaks for people and apps; no key of its makes a service of the suite.
_PUBLIC_ROLES: Final = frozenset({Role.VIEWER, Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One key; a token that it signed may claim no more than `roles`."""

    key_id: str
    algorithm: str
    roles: frozenset[Role]
    material: Any = field(repr=False)


def read_secrets(file: Path) -> tuple[TokenKey, ...]:
    """The secrets in a file, one a line: the first signs, all are believed.

    Raises StartFault, without a byte of it, for one that is missing or too short.
    """
    lines = [line.strip() for line in _read(file).splitlines() if line.strip()]
    if not lines:
        raise StartFault(f"{file} holds no secret")
    if any(len(line) < LEAST_SECRET_BYTES for line in lines):
        raise StartFault(f"{file}: a secret needs at least {LEAST_SECRET_BYTES} bytes")
    return tuple(TokenKey("", _SHARED_ALGORITHM, _SECRET_ROLES, line) for line in lines)


def read_public_keys(file: Path) -> tuple[TokenKey, ...]:
    """The keys of a JSON Web Key Set; raises StartFault for one that cannot be used safely."""
    try:
        keys = json.loads(_read(file))["keys"]
        found = [_public_key(file, key) for key in keys]
    except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
        raise StartFault(f"{file} is no JSON Web Key Set: {error}") from None
    if not found:
        raise StartFault(f"{file} holds no key")
    return tuple(found)


def _public_key(file: Path, key: dict[str, Any]) -> TokenKey:
    key_id = str(key.get("kid", ""))
    algorithm = _PUBLIC_ALGORITHMS.get((key["kty"], key.get("crv")))
    if algorithm is None or key.get("alg", algorithm) != algorithm:
        raise StartFault(f"{file}: key {key_id!r} is for neither RS256 nor ES256")
    if "d" in key:
        raise StartFault(f"{file}: key {key_id!r} is a private one; only public keys belong here")
    material = jwt.PyJWK(key, algorithm).key
    if algorithm == "RS256" and material.key_size < LEAST_RSA_BITS:
        raise StartFault(f"{file}: key {key_id!r} has less than {LEAST_RSA_BITS} bits")
    return TokenKey(key_id, algorithm, _PUBLIC_ROLES, material)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartFault(f"cannot read {file}: {error.strerror}") from None
