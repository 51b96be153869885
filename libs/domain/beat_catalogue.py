"""Whether beats fit the catalogue: of an episode of their series, and no further than it goes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from libs.domain.beat import EpisodeBeats
from libs.domain.title import Title, TitleKind
from libs.faults import InvalidField


@dataclass(frozen=True, slots=True)
class Misfit:
    """What the catalogue has against an episode's beats; of one beat where `place` is its place."""

    place: int | None
    fault: InvalidField

    def within_episode(self) -> InvalidField:
        """The fault by its path below the episode."""
        return self.fault if self.place is None else self.fault.within(f"beats[{self.place}]")


def is_series(titles: Mapping[str, Title], series_id: str) -> bool:
    """Whether the catalogue knows a series of that id."""
    series = titles.get(series_id)
    return series is not None and series.kind is TitleKind.SERIES


def misfits(titles: Mapping[str, Title], series_id: str, episode: EpisodeBeats) -> Iterator[Misfit]:
    """Everything that does not fit. An episode without a known duration bounds nothing."""
    title = titles.get(episode.episode_id)
    if title is None:
        problem = f"no title {episode.episode_id!r} in the catalogue"
        yield Misfit(None, InvalidField("episode_id", problem))
    elif title.kind is not TitleKind.EPISODE or title.parent_id != series_id:
        problem = f"{title.title_id!r} is no episode of {series_id!r}"
        yield Misfit(None, InvalidField("episode_id", problem))
    elif title.duration_ms:
        for place, beat in enumerate(episode.beats):
            if beat.end_ms > title.duration_ms:
                problem = f"is {beat.end_ms}, the episode ends at {title.duration_ms}"
                yield Misfit(place, InvalidField("end_ms", problem))
