"""What is told of a series, as held in memory to answer from."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.domain.beat import Beat
from libs.storage.recap.beat_table import NOTHING_TOLD, BeatTable, ToldEpisode, ToldSeries
from services.recap.story.terms import Terms, decode, terms


@dataclass(frozen=True, slots=True, eq=False)
class HeldEpisode:
    """The beats of an episode; their terms are rows `first_row` and on."""

    beats: tuple[Beat, ...]
    duration_ms: int
    first_row: int


@dataclass(frozen=True, slots=True, eq=False)
class HeldSeries:
    """All episodes with beats by id, and the terms of all beats."""

    version: int
    episodes: Mapping[str, HeldEpisode]
    terms: Terms


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
        if told is None:
            return held
        held = held_series(told)
        if held.version:
            # One step each: another thread may do the same.
            self._held[key] = held
            if len(self._held) > self._most_series:
                self._held.popitem(last=False)
        return held


def make_terms(episodes: Sequence[ToldEpisode]) -> bytes:
    """The terms of all beats of these episodes, in their order: text and names."""
    texts = [
        " ".join((beat.text, *beat.characters)) for told in episodes for beat in told.episode.beats
    ]
    return terms(texts).encode()


def held_series(told: ToldSeries) -> HeldSeries:
    """The rows of the table as they are answered from."""
    episodes = {}
    row = 0
    for one in told.episodes:
        beats = one.episode.beats
        episodes[one.episode.episode_id] = HeldEpisode(beats, one.duration_ms, row)
        row += len(beats)
    return HeldSeries(told.version, episodes, decode(told.terms))


_NOTHING = held_series(NOTHING_TOLD)
