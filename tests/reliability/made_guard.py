"""The suite as it is beyond loopback: who calls has to show a token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from libs.serving.authorization import Gate
from libs.serving.token_keys import read_public_keys
from libs.serving.tokens import ServiceTokens, TokenVerifier
from tests.made_suite import Served, served
from tests.made_tokens import NOW_S, RULES, SECRET_KEY, write_key_set

# Far more than a call takes: what has no answer by then hangs.
TIMEOUT_S = 20.0


@asynccontextmanager
async def guarded_suite(home: Path, provider_key: rsa.RSAPrivateKey) -> AsyncIterator[Served]:
    """Services that believe SECRET and the provider's key, and show each other SECRET's tokens."""
    keys = read_public_keys(write_key_set(home / "keys.json", {"r": provider_key}))
    verifier = TokenVerifier([SECRET_KEY, *keys], RULES, lambda: NOW_S)
    own = ServiceTokens("a service", SECRET_KEY, RULES, lambda: NOW_S)
    async with served(home, authorize=Gate(verifier.identify).authorize, credentials=own) as suite:
        yield suite
