"""Bundles in a folder: `<root>/<version>/` with one sub-folder a part, and the pointer CURRENT.

Each tenant's bundles have a root of their own, the folder of its name below that of all.
"""

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from libs.artifacts.manifest import (
    MANIFEST_NAME,
    SEAL_NAME,
    BundleRejected,
    FileEntry,
    Manifest,
    decode,
    describe,
    digest,
    encode,
    seal,
)
from libs.domain.identifiers import check_tenant

CURRENT_NAME: Final = "CURRENT"

# What stays beside the current version, so that a service can still finish with an older one.
KEPT_BEFORE_CURRENT: Final = 2

# Writes the files of one part into the folder; returns the shapes of those that hold arrays.
PartWriter: TypeAlias = Callable[[Path], Mapping[str, tuple[int, ...]]]

_VERSION: Final = re.compile(r"\d{8}T\d{9}Z-[0-9a-f]{8}")
_STAGING: Final = ".staging-"
_LOCK_NAME: Final = ".lock"


def publish(
    root: Path,
    parts: Mapping[str, PartWriter],
    *,
    now_ms: int,
    trained_until_ms: int,
    feature_schema_version: int,
) -> str:
    """Write all parts, make them durable, then move CURRENT to them; returns the new version.

    Whatever fails before the pointer moves leaves what was current untouched. One publisher
    works at a time; another waits.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _exclusive(root):
        _remove_staging(root)
        staging = root / f"{_STAGING}{now_ms}"
        try:
            entries = {part: _write(staging / part, writer) for part, writer in parts.items()}
            version = f"{_stamp(now_ms)}-{digest(entries)[:8]}"
            manifest = Manifest(
                version=version,
                created_ms=now_ms,
                trained_until_ms=trained_until_ms,
                feature_schema_version=feature_schema_version,
                parts=entries,
            )
            text = encode(manifest)
            (staging / MANIFEST_NAME).write_bytes(text)
            (staging / SEAL_NAME).write_bytes(seal(text))
            _sync_tree(staging)
            if not (root / version).exists():  # else the same bytes at the same millisecond
                staging.rename(root / version)
            _sync(root)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        _point(root, version)
        _prune(root, version)
    return version


@dataclass(frozen=True, slots=True)
class BundleStore:
    """The bundles under `root`, for those who read; nothing is handed out unverified."""

    root: Path

    def current_version(self) -> str | None:
        """The version that CURRENT names; None when nothing was ever published."""
        pointer = self.root / CURRENT_NAME
        try:
            version = pointer.read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BundleRejected(pointer, f"cannot be read: {error.strerror}") from None
        if not _VERSION.fullmatch(version):
            raise BundleRejected(pointer, f"names no version: {version[:64]!r}")
        return version

    def versions(self) -> tuple[str, ...]:
        """All that is published, newest first."""
        return _versions(self.root)

    def manifest(self, version: str) -> Manifest:
        """The verified manifest; BundleRejected if there is none or it is damaged."""
        file = self.root / version / MANIFEST_NAME
        with _readable(file):
            text = file.read_bytes()
        sealed = self.root / version / SEAL_NAME
        with _readable(sealed):
            manifest = decode(text, sealed.read_bytes(), file)
        if manifest.version != version:
            raise BundleRejected(file, f"is of version {manifest.version}")
        return manifest

    def open_part(self, version: str, part: str) -> Path:
        """The folder of a part after reading every byte of it.

        Raises BundleRejected, naming the file, for one that is missing, truncated, altered or
        not in the manifest.
        """
        manifest = self.manifest(version)
        folder = self.root / version / part
        entries = manifest.parts.get(part)
        if entries is None:
            raise BundleRejected(folder, "is a part that the manifest does not have")
        with _readable(folder):
            found = {file.name for file in folder.iterdir()}
        for name in sorted(found - set(entries)):
            raise BundleRejected(folder / name, "is not in the manifest")
        for name, expected in entries.items():
            _verify(folder / name, expected)
        return folder

    def signature(self, version: str, part: str) -> Hashable:
        """What changes when a file of the part is touched; costs a stat each, reads nothing."""
        found: list[tuple[str, int, int]] = []
        folder = self.root / version / part
        for file in (*_listed(self.root / version), *_listed(folder)):
            with contextlib.suppress(OSError):
                status = file.stat()
                found.append((file.name, status.st_size, status.st_mtime_ns))
        return tuple(sorted(found))


def tenant_root(bundles: Path, tenant: str) -> Path:
    """The root of one tenant's bundles below that of all."""
    return bundles / check_tenant("tenant", tenant)


def tenants_below(bundles: Path) -> tuple[str, ...]:
    """Those that something was published for, in the order of their names."""
    return tuple(folder.name for folder in _listed(bundles) if (folder / CURRENT_NAME).is_file())


def _write(folder: Path, writer: PartWriter) -> dict[str, FileEntry]:
    folder.mkdir(parents=True)
    shapes = writer(folder)
    return {file.name: describe(file, tuple(shapes.get(file.name, ()))) for file in _listed(folder)}


def _verify(file: Path, expected: FileEntry) -> None:
    with _readable(file):
        size = file.stat().st_size
        if size != expected.size:
            raise BundleRejected(file, f"has {size} bytes instead of {expected.size}")
        if describe(file).sha256 != expected.sha256:
            raise BundleRejected(file, "does not match its SHA-256")


@contextlib.contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise BundleRejected(file, "is missing") from None
    except OSError as error:
        raise BundleRejected(file, f"cannot be read: {error.strerror}") from None


@contextlib.contextmanager
def _exclusive(root: Path) -> Iterator[None]:
    with (root / _LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stamp(now_ms: int) -> str:
    """Sorts as text in the order of time: 20261121T205800123Z."""
    moment = datetime.fromtimestamp(now_ms // 1000, UTC)
    return f"{moment:%Y%m%dT%H%M%S}{now_ms % 1000:03d}Z"


def _point(root: Path, version: str) -> None:
    temporary = root / f"{_STAGING}{CURRENT_NAME}"
    with temporary.open("wb") as stream:
        stream.write(f"{version}\n".encode())
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(root / CURRENT_NAME)
    _sync(root)


def _prune(root: Path, current: str) -> None:
    others = [version for version in _versions(root) if version != current]
    for version in others[KEPT_BEFORE_CURRENT:]:
        shutil.rmtree(root / version, ignore_errors=True)


def _remove_staging(root: Path) -> None:
    """What a publisher that was killed left behind; the lock says that it is not at work."""
    for path in root.glob(f"{_STAGING}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _versions(root: Path) -> tuple[str, ...]:
    names = (path.name for path in _listed(root))
    return tuple(sorted((name for name in names if _VERSION.fullmatch(name)), reverse=True))


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
