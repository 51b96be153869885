"""Tokens of shares: what a link carries; nobody can make one, or change one, without the key.

A token is the id of a share, 16 random bytes, and HMAC-SHA-256 (RFC 2104) of it and the tenant,
in base64url. Its key comes of recap's by a label.
When a share ends is not in its token but in its row: there it can end sooner.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from libs.storage.pseudonyms import Pseudonyms

ID_BYTES: Final = 16
_TAG_BYTES: Final = hashlib.sha256().digest_size
# Whatever is longer is no token, and is not read.
_MOST_LETTERS: Final = 256
_PURPOSE: Final = "share token"
# What no share is ever called: looked up for a token that names none.
NOBODY: Final = "0" * 2 * ID_BYTES


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says: which share, and whether it was made here."""

    link_id: str
    is_genuine: bool


@dataclass(frozen=True, slots=True)
class ShareTokens:
    """Tokens under one key."""

    _key: bytes = field(repr=False)

    @staticmethod
    def of(pseudonyms: Pseudonyms) -> "ShareTokens":
        """Those under a key that comes of recap's."""
        return ShareTokens(pseudonyms.key_for(_PURPOSE))

    @staticmethod
    def new_id() -> str:
        """An id that nobody can guess, 32 hexadecimal digits."""
        return secrets.token_hex(ID_BYTES)

    def token(self, tenant: str, link_id: str) -> str:
        """The token of a share; always the same one."""
        raw = bytes.fromhex(link_id)
        return base64.urlsafe_b64encode(raw + self._tag(tenant, raw)).decode()

    def claim(self, tenant: str, token: str) -> Claim:
        """What a token says to this tenant, in the same time for every token."""
        # 48 bytes are 64 letters and no padding: a token has one spelling.
        try:
            raw = base64.b64decode(
                token[:_MOST_LETTERS].encode("ascii"), altchars=b"-_", validate=True
            )
        except (UnicodeEncodeError, binascii.Error):
            raw = b""
        is_whole = len(token) < _MOST_LETTERS and len(raw) == ID_BYTES + _TAG_BYTES
        if not is_whole:
            raw = bytes(ID_BYTES + _TAG_BYTES)
        shown = raw[ID_BYTES:]
        is_genuine = hmac.compare_digest(shown, self._tag(tenant, raw[:ID_BYTES])) and is_whole
        return Claim(raw[:ID_BYTES].hex() if is_genuine else NOBODY, is_genuine)

    def _tag(self, tenant: str, raw: bytes) -> bytes:
        # A tenant holds no NUL and an id has one length, so no two pairs are the same bytes.
        return hmac.new(self._key, tenant.encode() + b"\0" + raw, hashlib.sha256).digest()
