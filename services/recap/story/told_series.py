"""What is told of a series, as held in memory to answer from."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.domain.beat import Beat
from libs.storage.recap.beat_table import NOTHING_TOLD, BeatTable, ToldEpisode, ToldSeries
from services.recap.story.cast import CastColumns, cast_columns
from services.recap.story.footprint import arrays_bytes, beats_bytes
from services.recap.story.reading import word_count
from services.recap.story.terms import Terms, decode, terms


@dataclass(frozen=True, slots=True, eq=False)
class HeldSeries:
    """The n beats of m episodes as columns, by episode id and time."""

    version: int
    episode_ids: tuple[str, ...]  # (m,)
    durations_ms: Mapping[str, int]  # by episode, of when its beats were told
    beats: tuple[Beat, ...]  # (n,)
    episodes: NDArray[np.int64]  # (n,) which of the m
    ends_ms: NDArray[np.int64]  # (n,)
    importances: NDArray[np.float64]  # (n,)
    words: NDArray[np.int64]  # (n,)
    terms: Terms  # n rows
    cast: CastColumns  # of n beats
    byte_count: int  # about what all of it takes


class HeldBeats:
    """The beats of the series that were asked for last, as of now: reads ask for the version.

    Together they take at most `most_bytes`; a series that alone takes more is read each time.
    Any thread may use it. Raises PartUnavailable where the table cannot be read.
    """

    def __init__(self, table: BeatTable, *, most_bytes: int) -> None:
        self._table = table
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], HeldSeries] = OrderedDict()
        self._byte_count = 0

    def of(self, tenant: str, series_id: str) -> HeldSeries:
        """What is told of a series now."""
        key = (tenant, series_id)
        held = self._held.get(key, _NOTHING)
        told = self._table.newer(tenant, series_id, held.version)
        if told is not None:
            held = held_series(told)
        if held.version:
            self._keep(key, held)
        return held

    def _keep(self, key: tuple[str, str], held: HeldSeries) -> None:
        """Hold it as the one used last, and let go of those used longest ago."""
        with self._lock:
            before = self._held.pop(key, None)
            if before is not None:
                self._byte_count -= before.byte_count
            self._held[key] = held
            self._byte_count += held.byte_count
            while self._byte_count > self._most_bytes:
                _, gone = self._held.popitem(last=False)
                self._byte_count -= gone.byte_count


def make_terms(episodes: Sequence[ToldEpisode]) -> bytes:
    """The terms of all beats of these episodes, in their order: text and names."""
    texts = [
        " ".join((beat.text, *beat.characters)) for told in episodes for beat in told.episode.beats
    ]
    return terms(texts).encode()


def held_series(told: ToldSeries) -> HeldSeries:
    """The rows of the table as they are answered from."""
    beats = tuple(beat for one in told.episodes for beat in one.episode.beats)
    counts = [len(one.episode.beats) for one in told.episodes]
    cast = cast_columns(beats)
    held_terms = decode(told.terms)
    episodes = np.repeat(np.arange(len(counts)), counts)
    ends_ms = np.array([beat.end_ms for beat in beats], np.int64)
    words = np.array([word_count(beat.text) for beat in beats], np.int64)
    return HeldSeries(
        version=told.version,
        episode_ids=tuple(one.episode.episode_id for one in told.episodes),
        durations_ms={one.episode.episode_id: one.duration_ms for one in told.episodes},
        beats=beats,
        episodes=episodes,
        ends_ms=ends_ms,
        importances=cast.importances,
        words=words,
        terms=held_terms,
        cast=cast,
        byte_count=beats_bytes(beats)
        + arrays_bytes((episodes, ends_ms, words, *held_terms.arrays, *cast.arrays)),
    )


_NOTHING = held_series(NOTHING_TOLD)
