"""What is told of a series, as held in memory to answer from."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.domain.beat import Beat
from libs.storage.recap.beat_table import NOTHING_TOLD, BeatTable, ToldEpisode, ToldSeries
from services.recap.story.cast import CastColumns, cast_columns
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


class HeldBeats:
    """The beats of the series that were asked for last, as of now: reads ask for the version.

    Any thread may use it. Raises PartUnavailable where the table cannot be read.
    """

    def __init__(self, table: BeatTable, *, most_series: int) -> None:
        self._table = table
        self._most_series = most_series
        self._held: OrderedDict[tuple[str, str], HeldSeries] = OrderedDict()

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
        """Hold it as the one used last; each step stands while other threads do the same."""
        self._held.pop(key, None)
        self._held[key] = held
        while len(self._held) > self._most_series:
            self._held.popitem(last=False)


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
    return HeldSeries(
        version=told.version,
        episode_ids=tuple(one.episode.episode_id for one in told.episodes),
        durations_ms={one.episode.episode_id: one.duration_ms for one in told.episodes},
        beats=beats,
        episodes=np.repeat(np.arange(len(counts)), counts),
        ends_ms=np.array([beat.end_ms for beat in beats], np.int64),
        importances=cast.importances,
        words=np.array([word_count(beat.text) for beat in beats], np.int64),
        terms=decode(told.terms),
        cast=cast,
    )


_NOTHING = held_series(NOTHING_TOLD)
