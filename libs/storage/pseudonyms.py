"""Keyed pseudonyms: what stands for an id where the id itself must not be.

HMAC-SHA-256 (RFC 2104) under a key in a file of its own: without the key nobody can tell whose
pseudonym it is, not even by trying every id.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from libs.faults import StartFault

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Pseudonyms under one key."""

    _key: bytes = field(repr=False)

    @staticmethod
    def of_file(path: Path) -> "Pseudonyms":
        """Those of the key in `path`, which is made when it is not there, for its owner alone.

        Raises StartFault when the file holds no key.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        except OSError as error:
            raise StartFault(f"cannot write {path}: {error.strerror}") from None
        else:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
        try:
            key = path.read_bytes()
        except OSError as error:
            raise StartFault(f"cannot read {path}: {error.strerror}") from None
        if len(key) != KEY_BYTES:
            raise StartFault(f"{path} must hold a key of {KEY_BYTES} bytes, holds {len(key)}")
        return Pseudonyms(key)

    def of(self, tenant: str, profile_id: str) -> str:
        """What stands for the profile: 64 hexadecimal digits."""
        # A tenant holds no NUL, so no two pairs are the same text.
        text = f"{tenant}\0{profile_id}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
