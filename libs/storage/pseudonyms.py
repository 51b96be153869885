"""Keyed pseudonyms: what stands for an id where the id itself must not be.

HMAC-SHA-256 (RFC 2104) under a key in a file of its own: without the key nobody can tell whose
pseudonym it is, not even by trying every id.
"""

import contextlib
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
    def of_file(path: Path, *, may_make: bool = True) -> "Pseudonyms":
        """Those of the key in `path`, which is made when it is not there, for its owner alone.

        Raises StartFault when the file holds no key, or is not there and may not be made.
        """
        try:
            if not path.exists():
                if not may_make:
                    raise StartFault(f"{path} is missing: it is the key of tombstones that exist")
                _make(path)
            key = path.read_bytes()
        except OSError as error:
            raise StartFault(f"cannot use {path}: {error.strerror}") from None
        if len(key) != KEY_BYTES:
            raise StartFault(f"{path} must hold a key of {KEY_BYTES} bytes, holds {len(key)}")
        return Pseudonyms(key)

    @property
    def fingerprint(self) -> str:
        """Tells this key from another one, and nothing else of it."""
        return hmac.new(self._key, b"fingerprint", hashlib.sha256).hexdigest()[:16]

    def key_for(self, purpose: str) -> bytes:
        """A key of 32 bytes for something else than pseudonyms, which tells nothing of theirs."""
        # No tenant is empty, so this is no profile's pseudonym.
        return hmac.new(self._key, f"\0{purpose}".encode(), hashlib.sha256).digest()

    def of(self, tenant: str, profile_id: str) -> str:
        """What stands for the profile: 64 hexadecimal digits."""
        # A tenant holds no NUL, so no two pairs are the same text.
        text = f"{tenant}\0{profile_id}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def _make(path: Path) -> None:
    """Whole or not at all, also when the power goes; another process may be first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
