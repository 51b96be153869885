"""Tokens: JSON Web Tokens that say who calls, and those that the suite's services show each other.

A service acts for the tenant whose call it answers: it mints a token of its own for that tenant,
with the role "service", from the secret that all services share. It never passes on what its
caller has shown, so a token of a viewer's app opens nothing inside, and background work, which
nobody has called for, is authorized the same way.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt

from libs.faults import InvalidField, Unauthenticated
from libs.serving.identity import Caller, Context, Metadata, Role
from libs.serving.token_keys import TokenKey

AUTHORIZATION: Final = "authorization"

# A token is checked once and then known until it expires: an RS256 signature costs some 50 µs.
MOST_KNOWN: Final = 4_096
# Longer ones are refused unread; real ones have some hundred characters.
MOST_CHARACTERS: Final = 8_192
# What services mint is for the next minutes, and is made anew in its last minute.
SERVICE_LIFETIME_S: Final = 600
RENEWED_BEFORE_S: Final = 60


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What every token must say: who made it, for whom; and how wrong clocks may be."""

    issuer: str
    audience: str
    leeway_s: float


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    not_before_s: float
    expires_s: float


class TokenVerifier:
    """Tells the caller of a token; `clock` gives Unix seconds."""

    def __init__(
        self, keys: Sequence[TokenKey], rules: TokenRules, clock: Callable[[], float]
    ) -> None:
        self._keys = tuple(keys)
        self._rules = rules
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def identify(self, context: Context) -> Caller:
        """The caller by the call's metadata `authorization: Bearer …`; raises Unauthenticated."""
        return self.caller(bearer(context))

    def caller(self, token: str) -> Caller:
        """Who the token says it is; raises Unauthenticated for one that cannot be believed."""
        known = self._known.get(token)
        if known is None:
            known = self._known[token] = self._verified(token)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        now_s, leeway_s = self._clock(), self._rules.leeway_s
        if not now_s < known.expires_s + leeway_s:
            del self._known[token]
            raise Unauthenticated("the token has expired")
        if not known.not_before_s <= now_s + leeway_s:
            raise Unauthenticated("the token is not valid yet")
        return known.caller

    def _verified(self, token: str) -> _Known:
        if len(token) > MOST_CHARACTERS:
            raise Unauthenticated(f"the token has more than {MOST_CHARACTERS} characters")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise Unauthenticated("the token is no JSON Web Token") from None
        key_id, algorithm = header.get("kid", ""), header.get("alg")
        # The header only picks among the keys; each is tried with its own algorithm and no other.
        picked = [
            key
            for key in self._keys
            if key.algorithm == algorithm and (not key_id or key.key_id in ("", key_id))
        ]
        for key in picked:
            claims = self._claims(token, key)
            if claims is not None:
                return _known_of(claims, key)
        raise Unauthenticated("no key of this service has signed the token")

    def _claims(self, token: str, key: TokenKey) -> dict[str, Any] | None:
        """The claims of a token that the key has signed; None if it has not."""
        try:
            return jwt.decode(
                token,
                key.material,
                algorithms=[key.algorithm],
                audience=self._rules.audience,
                issuer=self._rules.issuer,
                options={
                    "require": ["exp", "aud", "iss", "tenant", "roles"],
                    # Checked at every call and against our own clock, not only at the first.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidSignatureError:
            return None
        except jwt.InvalidAudienceError:
            raise Unauthenticated("the token is meant for another audience") from None
        except jwt.InvalidIssuerError:
            raise Unauthenticated("the token is of another issuer") from None
        except jwt.MissingRequiredClaimError as missing:
            raise Unauthenticated(f"the token has no claim {missing.claim!r}") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise Unauthenticated("the token is no JSON Web Token") from None


def bearer(context: Context) -> str:
    """The token of a call; raises Unauthenticated when there is none, or more than one."""
    values = [value for key, value in context.invocation_metadata() or () if key == AUTHORIZATION]
    if len(values) != 1 or not isinstance(values[0], str):
        raise Unauthenticated("more than one token" if values else "no token")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("the authorization is no bearer token")
    return token


def has_bearer(context: Context) -> bool:
    """Whether a call carries an authorization, be it good or bad."""
    return any(key == AUTHORIZATION for key, _ in context.invocation_metadata() or ())


def _known_of(claims: Mapping[str, Any], key: TokenKey) -> _Known:
    roles = claims["roles"]
    if not isinstance(roles, list):
        raise Unauthenticated("the token's roles are no list")
    tenant, subject = claims["tenant"], claims.get("sub", "")
    if not isinstance(tenant, str):
        raise Unauthenticated("the token's tenant is no text")
    try:
        # Roles that this release does not know, or this key may not give, open nothing.
        granted = frozenset(role for role in key.roles if role.value in roles)
        caller = Caller(tenant, granted, str(subject)[:128])
    except InvalidField as fault:
        raise Unauthenticated(f"the token's {fault}") from None
    return _Known(
        caller,
        not_before_s=_moment(claims, "nbf", -math.inf),
        expires_s=_moment(claims, "exp", -math.inf),
    )


def _moment(claims: Mapping[str, Any], name: str, default: float) -> float:
    value = claims.get(name, default)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    except OverflowError:
        pass
    raise Unauthenticated(f"the token's {name!r} is no time")


def mint(
    key: TokenKey, rules: TokenRules, caller: Caller, *, now_s: float, lifetime_s: float
) -> str:
    """A token that says `caller`, signed with a secret."""
    claims = {
        "iss": rules.issuer,
        "aud": rules.audience,
        "sub": caller.name,
        "tenant": caller.tenant,
        "roles": sorted(role.value for role in caller.roles),
        "iat": int(now_s),
        "exp": int(now_s + lifetime_s),
    }
    return jwt.encode(claims, key.material, algorithm=key.algorithm)


class ServiceTokens:
    """The tokens that the service `name` shows others, one a tenant at a time."""

    def __init__(
        self, name: str, key: TokenKey, rules: TokenRules, clock: Callable[[], float]
    ) -> None:
        self._name = name
        self._key = key
        self._rules = rules
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Metadata]] = OrderedDict()

    def metadata(self, tenant: str) -> Metadata:
        """The authorization to act for a tenant, good for a minute and more."""
        now_s = self._clock()
        renewed_s, metadata = self._kept.get(tenant, (-math.inf, ()))
        if now_s >= renewed_s:
            caller = Caller(tenant, frozenset({Role.SERVICE}), self._name)
            token = mint(self._key, self._rules, caller, now_s=now_s, lifetime_s=SERVICE_LIFETIME_S)
            metadata = ((AUTHORIZATION, f"Bearer {token}"),)
            self._kept[tenant] = (now_s + SERVICE_LIFETIME_S - RENEWED_BEFORE_S, metadata)
            if len(self._kept) > MOST_KNOWN:
                self._kept.popitem(last=False)
        return metadata
