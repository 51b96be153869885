"""Whether beats fit the catalogue: of an episode of their series, and no further than it goes."""

from collections.abc import Iterator, Mapping

from libs.domain.beat import EpisodeBeats
from libs.domain.title import Title, TitleKind
from libs.faults import InvalidField


def is_series(titles: Mapping[str, Title], series_id: str) -> bool:
    """Whether the catalogue knows a series of that id."""
    series = titles.get(series_id)
    return series is not None and series.kind is TitleKind.SERIES


def misfits(
    titles: Mapping[str, Title], series_id: str, episode: EpisodeBeats
) -> Iterator[InvalidField]:
    """Everything that the catalogue has against it, by the path below the episode.

    An episode whose duration the catalogue does not know bounds nothing.
    """
    title = titles.get(episode.episode_id)
    if title is None:
        yield InvalidField("episode_id", f"no title {episode.episode_id!r} in the catalogue")
    elif title.kind is not TitleKind.EPISODE or title.parent_id != series_id:
        yield InvalidField("episode_id", f"{title.title_id!r} is no episode of {series_id!r}")
    elif title.duration_ms:
        for place, beat in enumerate(episode.beats):
            if beat.end_ms > title.duration_ms:
                yield InvalidField(
                    f"beats[{place}].end_ms",
                    f"is {beat.end_ms}, the episode ends at {title.duration_ms}",
                )
