"""An export as large as wanted, quickly made: profiles with a stated number of plays each.

`python -m benchmarks.recap_export OUT PROFILES PLAYS PARTITIONS` makes one.
"""

import datetime as dt
import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from libs.domain.event import DAY_MS, EventKind
from libs.domain.identifiers import DEFAULT_TENANT
from libs.domain.title import Person, Title, TitleKind
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.storage.parquet_days import day_frame
from libs.storage.parquet_export import (
    DAYS,
    EVENTS,
    EXPORT_SCHEMA_VERSION,
    PROFILES,
    Export,
    ExportedFile,
)
from services.recap.year.history import SCHEMA

UNTIL_MS: Final = 20_454 * DAY_MS  # 2026-01-01
_ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Bangkok", "")
_COUNTRIES: Final = ("DE", "US", "IN", "TH", "EG")
_GENRES: Final = tuple(f"genre {place}" for place in range(18))
_DEVICES: Final = np.array(["TV", "PHONE", "TABLET"])
_RUNTIME_MS: Final = 45 * 60_000


def made_titles(count: int, rng: np.random.Generator) -> list[Title]:
    """Half movies, half series of eight episodes."""
    found: list[Title] = []
    for place in range(count):
        genres = tuple(sorted(set(rng.choice(_GENRES, 2).tolist())))
        people = tuple(Person(f"person {one}") for one in set(rng.integers(0, 300, 4).tolist()))
        released = dt.date(1970, 1, 1) + dt.timedelta(int(rng.integers(0, 20_000)))
        kind = TitleKind.SERIES if place % 2 else TitleKind.MOVIE
        whole = Title(
            f"t{place:05d}",
            kind,
            f"Title {place}",
            release_date=released,
            genres=genres,
            people=people,
        )
        found.append(whole)
        if kind is TitleKind.SERIES:
            found += [
                Title(
                    f"{whole.title_id}e{number}",
                    TitleKind.EPISODE,
                    f"Episode {number}",
                    parent_id=whole.title_id,
                    episode_number=number,
                )
                for number in range(1, 9)
            ]
    return found


def make_export(
    out: Path, titles: list[Title], *, profiles: int, plays: int, partitions: int, seed: int
) -> Export:
    """Write an export as `reprise events export` does: two events a play, over 400 days."""
    rng = np.random.default_rng(seed)
    ids = [title.title_id for title in titles if title.kind is not TitleKind.SERIES]
    files, start = [], 0
    for place in range(partitions):
        count = profiles * (place + 1) // partitions - start
        frame = _events(rng, ids, start, count, plays)
        files.append(_write(out, f"partition={place:04d}/{EVENTS}", frame))
        files.append(_write(out, f"partition={place:04d}/{DAYS}", day_frame([])))
        start += count
    people = pl.DataFrame(
        {
            "profile_id": [f"profile-{place:08d}" for place in range(profiles)],
            "kids": [False] * profiles,
            "maturity_limit_years": [None] * profiles,
            "country": [_COUNTRIES[place % len(_COUNTRIES)] for place in range(profiles)],
            "refused_consents": [[] for _ in range(profiles)],
        },
        schema_overrides={
            "maturity_limit_years": pl.Int32(),
            "refused_consents": pl.List(pl.String()),
        },
    )
    exported = Export(
        export_schema_version=EXPORT_SCHEMA_VERSION,
        feature_schema_version=FEATURE_SCHEMA_VERSION,
        tenant=DEFAULT_TENANT,
        watermark=1,
        exported_ms=UNTIL_MS,
        event_count=sum(one.row_count for one in files),
        day_count=0,
        profile_count=profiles,
        partition_count=partitions,
        files=(*files, _write(out, PROFILES, people)),
    )
    (out / "manifest.json").write_text(json.dumps(asdict(exported)))
    return exported


def _events(
    rng: np.random.Generator, ids: list[str], start: int, profiles: int, plays: int
) -> pl.DataFrame:
    n = profiles * plays
    begun = (
        np.sort(
            rng.integers(
                (UNTIL_MS - 400 * DAY_MS) // 1000, UNTIL_MS // 1000 - 7200, (profiles, plays)
            ),
            axis=1,
        ).ravel()
        * 1000
    )
    watched = rng.integers(1, 46, n) * 60_000
    # Taste: every profile has its own hundred titles.
    liked = rng.integers(0, len(ids), (profiles, 100))
    titles = liked[np.repeat(np.arange(profiles), plays), rng.integers(0, 100, n)]
    whose = np.repeat(np.arange(start, start + profiles), plays)
    is_complete = watched >= _RUNTIME_MS
    names = np.array(ids)

    def both(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.stack([first, second], axis=1).ravel()

    places = np.arange(2 * n)
    stops = np.where(is_complete, EventKind.COMPLETE.name, EventKind.STOP.name)
    frame = pl.DataFrame(
        {
            "event_id": pl.Series(places).cast(pl.String()).str.pad_start(12, "0"),
            "profile_id": pl.Series(np.repeat(whose, 2)).cast(pl.String()).str.pad_start(8, "0"),
            "session_id": pl.Series(places // 8).cast(pl.String()),
            "kind": pl.Series(both(np.full(n, EventKind.PLAY.name), stops)),
            "occurred_ms": both(begun, begun + watched),
            "sequence": places,
            "title_id": np.repeat(names[titles], 2),
            "time_zone": pl.Series(np.array(_ZONES)[np.repeat(whose, 2) % len(_ZONES)]),
            "device": np.repeat(_DEVICES[rng.integers(0, len(_DEVICES), n)], 2),
            "from_ms": np.zeros(2 * n, np.int64),
            "to_ms": both(np.zeros(n, np.int64), watched),
            "rating_value": pl.Series([None] * (2 * n), dtype=pl.Float64()),
            "rating_scale": pl.Series([None] * (2 * n), dtype=pl.Float64()),
            "thumb": pl.Series([None] * (2 * n), dtype=pl.String()),
            "recorded_ms": both(begun, begun + watched),
        }
    )
    # As an export is ordered: one play may end after the next has begun.
    return (
        frame.with_columns("profile-" + pl.col("profile_id"))
        .cast(pl.Schema(SCHEMA))
        .sort("profile_id", "occurred_ms", "sequence", "event_id")
    )


def _write(out: Path, name: str, frame: pl.DataFrame) -> ExportedFile:
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedFile(name, len(frame), digest)


def main(out: str, profiles: int, plays: int, partitions: int) -> int:
    """Make one over the catalogue of the benchmarks."""
    titles = made_titles(1_200, np.random.default_rng(1))
    make_export(Path(out), titles, profiles=profiles, plays=plays, partitions=partitions, seed=2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
