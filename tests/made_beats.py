"""A series of a few episodes and its beats, for tests of the story so far."""

from libs.domain.beat import Beat, EpisodeBeats, Relation
from libs.domain.event import Event, EventKind, WatchedInterval
from libs.domain.title import Title, TitleKind

SERIES_ID = "saga"
MINUTE_MS = 60_000
DURATION_MS = 40 * MINUTE_MS
WATCHED_MS = 1_750_000_000_000


def episode(season: int, number: int, duration_ms: int = DURATION_MS) -> Title:
    """An episode whose name must not be told before it is seen."""
    return Title(
        f"saga-{season}-{number}",
        TitleKind.EPISODE,
        f"Spoiler of {season}.{number}",
        synopsis=f"Synopsis of {season}.{number}",
        parent_id=SERIES_ID,
        season_number=season,
        episode_number=number,
        duration_ms=duration_ms,
    )


def saga(seasons: int = 2, episodes: int = 3) -> dict[str, Title]:
    """The series and its episodes by id."""
    titles = [
        Title(SERIES_ID, TitleKind.SERIES, "The Saga"),
        *(
            episode(season, number)
            for season in range(1, seasons + 1)
            for number in range(1, episodes + 1)
        ),
    ]
    return {title.title_id: title for title in titles}


def told(title: Title, beat_count: int = 8) -> EpisodeBeats:
    """Beats over the whole of an episode, the last until its end; names tell where they are from.

    Ann is in all of them; everybody else in one episode; relations change with every episode.
    """
    mark = f"{title.season_number}x{title.episode_number}"
    width_ms = title.duration_ms // beat_count
    return EpisodeBeats(
        title.title_id,
        tuple(
            Beat(
                start_ms=place * width_ms,
                end_ms=(place + 1) * width_ms,
                text=f"In {mark} Ann learns secret {mark}-{place} of the house on the hill.",
                characters=("Ann", f"Guest {mark}"),
                relations=(Relation("Ann", f"Guest {mark}", "friend"),)
                + ((Relation("Ann", "Ben", f"kind of {mark}"),) if place == beat_count - 1 else ()),
                importance=(place % 4) / 4,
                thumbnail_ms=place * width_ms + width_ms // 2,
            )
            for place in range(beat_count)
        ),
    )


def played(
    event_id: str,
    title_id: str,
    from_ms: int = 0,
    to_ms: int = DURATION_MS,
    *,
    duration_ms: int = DURATION_MS,
    profile_id: str = "p",
    kind: EventKind = EventKind.PROGRESS,
) -> Event:
    """One interval watched."""
    return Event(
        event_id,
        profile_id,
        kind,
        WATCHED_MS,
        title_id=title_id,
        detail=WatchedInterval(from_ms, to_ms, duration_ms),
    )


def beats_of(episode_id: str) -> EpisodeBeats:
    """Two beats of the first seconds of any episode."""
    return EpisodeBeats(
        episode_id,
        (
            Beat(0, 2_000, "Ann finds the letter.", ("Ann",), (), 0.9, 500),
            Beat(
                2_000,
                4_000,
                "Ben burns it.",
                ("Ben",),
                (Relation("Ben", "Ann", "brother"),),
                0.5,
                3_000,
            ),
        ),
    )
