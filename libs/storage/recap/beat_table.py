"""The tables of beats: what happens in the episodes of each series. They hold nothing of profiles.

The terms of a series are made in the transaction that changes its beats, so whoever reads both
reads what belongs together.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from libs.domain.beat import EpisodeBeats
from libs.storage.recap.beat_json import beat_of, beat_value
from libs.storage.recap.database import Database
from libs.storage.recap.metadata import METADATA

_SERIES = sa.Table(
    "story_series",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("series_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("terms", sa.LargeBinary, nullable=False),
)
_EPISODES = sa.Table(
    "story_episode",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("series_id", sa.Text, primary_key=True),
    sa.Column("episode_id", sa.Text, primary_key=True),
    sa.Column("duration_ms", sa.BigInteger, nullable=False),
    sa.Column("beats", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ToldEpisode:
    """An episode's beats, and how long the catalogue said it was when they were told; 0: unknown.

    Beats are of one cut of an episode: another duration later is another cut.
    """

    episode: EpisodeBeats
    duration_ms: int


@dataclass(frozen=True, slots=True)
class ToldSeries:
    """All that is told of a series: episodes by id, and the terms of all of their beats."""

    version: int  # grows with every change, from 1
    episodes: tuple[ToldEpisode, ...]
    terms: bytes


NOTHING_TOLD = ToldSeries(0, (), b"")

# All episodes of a series, by id, to the terms of their beats.
MakeTerms = Callable[[Sequence[ToldEpisode]], bytes]


class BeatTable:
    """Beats by series; every method raises PartUnavailable."""

    def __init__(self, database: Database, make_terms: MakeTerms) -> None:
        self._database = database
        self._make_terms = make_terms

    def replace(self, tenant: str, series_id: str, told: Sequence[ToldEpisode]) -> int:
        """Replace the beats of those episodes, all or none; of how many they are others now.

        An episode without beats is forgotten.
        """
        key = (tenant, series_id)
        with self._database.write() as connection:
            _lock(connection, tenant, series_id)
            before = {one.episode.episode_id: one for one in _episodes(connection, key)}
            after = before | {one.episode.episode_id: one for one in told}
            after = {episode_id: one for episode_id, one in after.items() if one.episode.beats}
            if after == before:
                return 0
            for episode_id in {one.episode.episode_id for one in told}:
                connection.execute(
                    sa.delete(_EPISODES).where(
                        _EPISODES.c.tenant == tenant,
                        _EPISODES.c.series_id == series_id,
                        _EPISODES.c.episode_id == episode_id,
                    )
                )
                if episode_id in after:
                    row = _row(after[episode_id])
                    connection.execute(
                        sa.insert(_EPISODES).values(tenant=tenant, series_id=series_id, **row)
                    )
            version = _version(connection, key)
            terms = self._make_terms([after[episode_id] for episode_id in sorted(after)])
            connection.execute(
                sa.delete(_SERIES).where(
                    _SERIES.c.tenant == tenant, _SERIES.c.series_id == series_id
                )
            )
            connection.execute(
                sa.insert(_SERIES).values(
                    tenant=tenant, series_id=series_id, version=version + 1, terms=terms
                )
            )
        return sum(
            _beats(before.get(episode_id)) != _beats(after.get(episode_id))
            for episode_id in {one.episode.episode_id for one in told}
        )

    def newer(self, tenant: str, series_id: str, version: int) -> ToldSeries | None:
        """What is told of the series, NOTHING_TOLD if nothing ever was; None if that is known."""
        key = (tenant, series_id)
        with self._database.read() as connection:
            found = _version(connection, key)
            if found == version:
                return None
            if not found:
                return NOTHING_TOLD
            terms = connection.execute(
                sa.select(_SERIES.c.terms).where(
                    _SERIES.c.tenant == tenant, _SERIES.c.series_id == series_id
                )
            ).scalar_one()
            return ToldSeries(found, tuple(_episodes(connection, key)), terms)


def _lock(connection: sa.Connection, tenant: str, series_id: str) -> None:
    """One transaction changes a series at a time; in SQLite one writes at all."""
    if connection.dialect.name == "postgresql":
        name = sa.func.hashtextextended(f"beats/{tenant}/{series_id}", 0)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(name)))


def _version(connection: sa.Connection, key: tuple[str, str]) -> int:
    statement = sa.select(_SERIES.c.version).where(
        _SERIES.c.tenant == key[0], _SERIES.c.series_id == key[1]
    )
    return connection.execute(statement).scalar() or 0


def _episodes(connection: sa.Connection, key: tuple[str, str]) -> list[ToldEpisode]:
    statement = sa.select(_EPISODES.c.episode_id, _EPISODES.c.duration_ms, _EPISODES.c.beats).where(
        _EPISODES.c.tenant == key[0], _EPISODES.c.series_id == key[1]
    )
    return [
        ToldEpisode(
            EpisodeBeats(episode_id, tuple(beat_of(value) for value in json.loads(beats))),
            duration_ms,
        )
        # Each database has an order of texts of its own.
        for episode_id, duration_ms, beats in sorted(connection.execute(statement).all())
    ]


def _row(told: ToldEpisode) -> dict[str, str | int]:
    return {
        "episode_id": told.episode.episode_id,
        "duration_ms": told.duration_ms,
        "beats": json.dumps([beat_value(beat) for beat in told.episode.beats]),
    }


def _beats(told: ToldEpisode | None) -> object:
    return told.episode.beats if told is not None else ()
