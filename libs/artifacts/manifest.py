"""The manifest of a bundle: every file with its size, SHA-256 and shape; a seal lies beside it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from libs.faults import StartFault

MANIFEST_NAME: Final = "manifest.json"
SEAL_NAME: Final = "manifest.sha256"
FORMAT_VERSION: Final = 1

_READ_BYTES: Final = 1 << 20


class BundleRejected(StartFault):
    """A bundle that must not be used; the text names the file and says what is wrong with it."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(f"bundle file {file}: {problem}")
        self.file = file
        self.problem = problem


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file; `shape` is that of the array it holds, its first number the row count, or ()."""

    size: int
    sha256: str
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is made of; `parts` is part name -> file name -> entry."""

    version: str
    created_ms: int
    trained_until_ms: int
    feature_schema_version: int
    parts: Mapping[str, Mapping[str, FileEntry]]


def describe(file: Path, shape: tuple[int, ...] = ()) -> FileEntry:
    """The entry of a file as it is on disk; every byte is read."""
    digest = hashlib.sha256()
    size = 0
    with file.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            digest.update(block)
            size += len(block)
    return FileEntry(size=size, sha256=digest.hexdigest(), shape=shape)


def encode(manifest: Manifest) -> bytes:
    """The one JSON text of a manifest."""
    return _dump(_fields(manifest))


def seal(text: bytes) -> bytes:
    """What the file SEAL_NAME says of the text of a manifest: its SHA-256."""
    return f"{hashlib.sha256(text).hexdigest()}\n".encode()


def decode(text: bytes, sealed: bytes, file: Path) -> Manifest:
    """The manifest in `text`, read from `file`; BundleRejected unless each byte is as sealed."""
    if sealed != seal(text):
        raise BundleRejected(file, f"does not match {SEAL_NAME}")
    try:
        fields = json.loads(text)
        manifest = Manifest(
            version=fields["version"],
            created_ms=fields["created_ms"],
            trained_until_ms=fields["trained_until_ms"],
            feature_schema_version=fields["feature_schema_version"],
            parts={
                part: {
                    name: FileEntry(entry["size"], entry["sha256"], tuple(entry["shape"]))
                    for name, entry in files.items()
                }
                for part, files in fields["parts"].items()
            },
        )
        format_version = fields["format_version"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleRejected(file, f"is no manifest: {error!r}") from None
    if format_version != FORMAT_VERSION:
        raise BundleRejected(
            file, f"has format {format_version}; this release reads {FORMAT_VERSION}"
        )
    return manifest


def digest(parts: Mapping[str, Mapping[str, FileEntry]]) -> str:
    """A SHA-256 over the contents of all parts, the same for the same bytes."""
    return hashlib.sha256(_dump(_parts(parts))).hexdigest()


def _fields(manifest: Manifest) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "version": manifest.version,
        "created_ms": manifest.created_ms,
        "trained_until_ms": manifest.trained_until_ms,
        "feature_schema_version": manifest.feature_schema_version,
        "parts": _parts(manifest.parts),
    }


def _parts(parts: Mapping[str, Mapping[str, FileEntry]]) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        part: {
            name: {
                "size": entry.size,
                "sha256": entry.sha256,
                "shape": list(entry.shape),
                "row_count": entry.shape[0] if entry.shape else None,
            }
            for name, entry in sorted(files.items())
        }
        for part, files in sorted(parts.items())
    }


def _dump(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=True).encode() + b"\n"
