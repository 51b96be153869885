"""The log of one tenant as Parquet, partitioned by profile, as of one place in the log.

Beside the events of a partition are the days of those that have been compacted.

`manifest.json` names every file with its rows and SHA-256, the watermark (the place of the last
event that is in) and the versions; it is written last, and the folder appears whole or not at all.
A profile is in one partition, ordered as everywhere by (occurred_at, sequence, event_id).
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from libs.domain.consent import Consent
from libs.domain.event import EventKind, ThumbDirection
from libs.domain.profile import Profile
from libs.domain.viewing import Device, Surface
from libs.faults import StartFault
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.watched_days import WatchedDay
from libs.storage.event_row import EVENT_COLUMNS, Row
from libs.storage.parquet_days import day_frame
from libs.storage.recorded_log import RecordedLog

# Raised with every change of a column's name or meaning.
EXPORT_SCHEMA_VERSION: Final = 3

_TEXT: Final = pl.String()
_COLUMN_TYPES: Final[dict[str, pl.DataType]] = {
    "event_id": _TEXT,
    "profile_id": _TEXT,
    "session_id": _TEXT,
    "kind": pl.Enum([kind.name for kind in EventKind]),
    "occurred_ms": pl.Int64(),
    "sequence": pl.Int64(),
    "title_id": _TEXT,
    "time_zone": _TEXT,
    "device": pl.Enum([device.name for device in Device]),
    "country": _TEXT,
    "language": _TEXT,
    "surface": pl.Enum([surface.name for surface in Surface]),
    "kids": pl.Boolean(),
    "geo_cell": _TEXT,
    "page_id": _TEXT,
    "row_index": pl.Int32(),
    "position": pl.Int32(),
    "policy": _TEXT,
    "propensity": pl.Float64(),
    "model_version": _TEXT,
    "index_version": _TEXT,
    "arm": _TEXT,
    "from_ms": pl.Int64(),
    "to_ms": pl.Int64(),
    "duration_ms": pl.Int64(),
    "rating_value": pl.Float64(),
    "rating_scale": pl.Float64(),
    "thumb": pl.Enum([direction.name for direction in ThumbDirection]),
    "is_listed": pl.Boolean(),
    "detail": _TEXT,  # JSON of the kinds whose details have no columns
    "recorded_ms": pl.Int64(),
    "schema_version": pl.Int16(),
}
_NAMES: Final = tuple(name.strip() for name in EVENT_COLUMNS.split(","))
_SCHEMA: Final = {name: _COLUMN_TYPES[name] for name in _NAMES}
_WORDS: Final[dict[str, Callable[[int], str]]] = {
    "kind": lambda number: EventKind(number).name,
    "device": lambda number: Device(number).name,
    "surface": lambda number: Surface(number).name,
    "thumb": lambda number: ThumbDirection(number).name,
}
PROFILES: Final = "profiles.parquet"
EVENTS: Final = "events.parquet"  # of each partition
DAYS: Final = "days.parquet"
_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One Parquet file."""

    file: str
    row_count: int
    sha256: str


class _Partition(NamedTuple):
    events: ExportedFile
    days: ExportedFile


@dataclass(frozen=True, slots=True)
class Export:
    """What was written; `watermark` is the place in the log up to which everything is in."""

    export_schema_version: int
    feature_schema_version: int
    tenant: str
    watermark: int
    exported_ms: int
    event_count: int
    day_count: int
    profile_count: int
    partition_count: int
    files: tuple[ExportedFile, ...]


def export_log(
    log: RecordedLog,
    tenant: str,
    out: Path,
    *,
    partition_count: int,
    now_ms: int,
    on_progress: Callable[[int, int], None],
) -> Export:
    """Write `out`, a folder that does not exist yet or is empty; raises StartFault otherwise.

    A profile that is erased meanwhile is not in it.
    """
    out = out.resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StartFault(f"{out} is there already and not an empty folder")
    making = out.with_name(f".{out.name}.part")
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        exported = _written(log, tenant, making, partition_count, now_ms, on_progress)
        if out.exists():
            out.rmdir()
        making.rename(out)
        _sync(out.parent)
    except OSError as error:
        raise StartFault(f"cannot write {out}: {error.strerror}") from error
    finally:
        # No erasure would reach what is left of a failure.
        shutil.rmtree(making, ignore_errors=True)
    return exported


def _written(
    log: RecordedLog,
    tenant: str,
    making: Path,
    partition_count: int,
    now_ms: int,
    on_progress: Callable[[int, int], None],
) -> Export:
    watermark = log.watermark()
    known = _by_partition(tenant, log.profile_ids(tenant), partition_count)
    files: list[_Partition] = []
    for place, profile_ids in enumerate(known):
        files.append(_write_partition(log, tenant, making, place, profile_ids, watermark))
        on_progress(place + 1, partition_count)
    stored = log.profiles(tenant)
    profiles = _write(making, PROFILES, _profile_frame(stored))
    while True:
        left = _by_partition(tenant, log.profile_ids(tenant), partition_count)
        # Whoever came since is not in it, and whoever was erased is no longer.
        left = [
            [profile_id for profile_id in before if profile_id in now]
            for before, now in zip(known, map(set, left), strict=True)
        ]
        changed = [place for place in range(len(known)) if len(left[place]) < len(known[place])]
        if not changed:
            break
        for place in changed:
            files[place] = _write_partition(log, tenant, making, place, left[place], watermark)
        stored = log.profiles(tenant)
        profiles = _write(making, PROFILES, _profile_frame(stored))
        known = left
    exported = Export(
        export_schema_version=EXPORT_SCHEMA_VERSION,
        feature_schema_version=FEATURE_SCHEMA_VERSION,
        tenant=tenant,
        watermark=watermark,
        exported_ms=now_ms,
        event_count=sum(one.events.row_count for one in files),
        day_count=sum(one.days.row_count for one in files),
        profile_count=len(stored),
        partition_count=partition_count,
        files=(*(file for one in files for file in one), profiles),
    )
    (making / _MANIFEST).write_text(json.dumps(asdict(exported), indent=2) + "\n")
    _sync(making / _MANIFEST)
    return exported


def read_export(folder: Path) -> Export:
    """The manifest of an export of this release; raises StartFault."""
    try:
        fields = json.loads((folder / _MANIFEST).read_text())
        files = tuple(ExportedFile(**one) for one in fields.pop("files"))
        exported = Export(**fields, files=files)
    except OSError as error:
        raise StartFault(f"{folder} is no export: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StartFault(f"{folder / _MANIFEST} is no manifest of an export: {error}") from None
    if exported.export_schema_version != EXPORT_SCHEMA_VERSION:
        raise StartFault(
            f"{folder} has export schema {exported.export_schema_version},"
            f" this release needs {EXPORT_SCHEMA_VERSION}"
        )
    return exported


def check_file(folder: Path, file: ExportedFile) -> Path:
    """The path of a file that is as the manifest says; raises StartFault."""
    path = folder / file.file
    try:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise StartFault(f"cannot read {path}: {error.strerror}") from None
    if digest != file.sha256:
        raise StartFault(f"{path} is not what was exported: its checksum differs")
    return path


def partition_of(tenant: str, profile_id: str, partition_count: int) -> int:
    """Where a profile's events are: the same in every export with as many partitions."""
    digest = hashlib.blake2b(f"{tenant}\0{profile_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % partition_count


def _by_partition(tenant: str, profile_ids: Iterable[str], partition_count: int) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(partition_count)]
    for profile_id in profile_ids:
        found[partition_of(tenant, profile_id, partition_count)].append(profile_id)
    return found


def _write_partition(
    log: RecordedLog,
    tenant: str,
    folder: Path,
    place: int,
    profile_ids: Sequence[str],
    watermark: int,
) -> _Partition:
    rows: list[Row] = []
    days: list[tuple[str, WatchedDay]] = []
    for profile_id in profile_ids:
        own, of_days = log.held_of(tenant, profile_id, watermark=watermark)
        rows.extend(own)
        days.extend((profile_id, day) for day in of_days)
    columns: dict[str, list[Any]] = (
        dict(zip(_NAMES, map(list, zip(*rows, strict=True)), strict=True))
        if rows
        else {name: [] for name in _NAMES}
    )
    for name, word in _WORDS.items():
        columns[name] = [None if number is None else word(number) for number in columns[name]]
    for name in ("kids", "is_listed"):
        columns[name] = [None if value is None else bool(value) for value in columns[name]]
    part = f"partition={place:04d}"
    (folder / part).mkdir(exist_ok=True)
    return _Partition(
        _write(folder, f"{part}/{EVENTS}", pl.DataFrame(columns, schema=_SCHEMA)),
        _write(folder, f"{part}/{DAYS}", day_frame(days)),
    )


def _profile_frame(profiles: Sequence[Profile]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "profile_id": [one.profile_id for one in profiles],
            "account_id": [one.account_id for one in profiles],
            "kids": [one.kids for one in profiles],
            "maturity_limit_years": [one.maturity_limit_years for one in profiles],
            "country": [one.country for one in profiles],
            "languages": [list(one.languages) for one in profiles],
            "time_zone": [one.time_zone for one in profiles],
            "given_consents": [_consent_names(one.given_consents) for one in profiles],
            "refused_consents": [_consent_names(one.refused_consents) for one in profiles],
        },
        schema={
            "profile_id": _TEXT,
            "account_id": _TEXT,
            "kids": pl.Boolean(),
            "maturity_limit_years": pl.Int32(),
            "country": _TEXT,
            "languages": pl.List(_TEXT),
            "time_zone": _TEXT,
            "given_consents": pl.List(_TEXT),
            "refused_consents": pl.List(_TEXT),
        },
    )


def _consent_names(consents: Iterable[Consent]) -> list[str]:
    return [consent.name for consent in sorted(consents)]


def _write(folder: Path, name: str, frame: pl.DataFrame) -> ExportedFile:
    path = folder / name
    frame.write_parquet(path)
    _sync(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedFile(name, len(frame), digest)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
