"""The programs that count, over events in memory."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from libs.domain.event import Event
from libs.domain.title import Person, Title, TitleKind
from libs.storage.parquet_days import day_frame
from libs.storage.parquet_export import DAYS, EVENTS
from services.recap.ports import HeldHistory
from services.recap.year.catalogue import Catalogue
from services.recap.year.counting import Counted, count_all, recaps
from services.recap.year.diary_sums import Facts
from services.recap.year.history import of_events
from services.recap.year.period import LIFETIME, Period
from services.recap.year.recap import Recap
from services.recap.year.split import NO_SPLIT
from services.recap.year.verifier import Verifier
from services.recap.year.walk import Walk
from services.recap.year.wall_clock import WallClock
from services.recap.year.watched import watched

FAR_MS = 4_000_000_000_000


def movie(title_id: str, *, genres: Sequence[str] = ("drama",), name: str = "") -> Title:
    return Title(title_id, TitleKind.MOVIE, name or f"Movie {title_id}", genres=tuple(genres))


def series(title_id: str, episodes: int) -> list[Title]:
    """A series and its episodes, "<id>e1" and so on."""
    whole = Title(
        title_id,
        TitleKind.SERIES,
        f"Series {title_id}",
        genres=("comedy",),
        people=(Person("A", "cast"), Person("A", "director"), Person("B")),
    )
    return [
        whole,
        *(
            Title(f"{title_id}e{number}", TitleKind.EPISODE, f"E{number}", parent_id=title_id)
            for number in range(1, episodes + 1)
        ),
    ]


@contextlib.contextmanager
def verifier_of(
    history: pl.DataFrame,
    titles: Iterable[Title],
    period: Period,
    cutoff_ms: int,
    whose: pl.DataFrame = NO_SPLIT.whose,
) -> Iterator[Verifier]:
    """The batch's verifier over a history of any number of profiles."""
    verifier = Verifier(Catalogue.of(titles), threads=1)
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(verifier):
        history.write_parquet(Path(folder) / EVENTS)
        day_frame([]).write_parquet(Path(folder) / DAYS)
        nobody = pl.Series("profile_id", [], pl.String())
        verifier.open_partition(Path(folder), period, cutoff_ms, nobody, whose)
        yield verifier


def walk_of(history: pl.DataFrame, titles: Iterable[Title], period: Period, cutoff_ms: int) -> Walk:
    """The verifier of those who are asked for, over the histories of any number of profiles."""
    known = {title.title_id: title for title in titles}
    found: dict[str, Mapping[str, Facts]] = {}
    with contextlib.closing(WallClock()) as clock:
        for (profile_id,), own in history.group_by("profile_id", maintain_order=True):
            held = HeldHistory(str(profile_id), own, [])
            wall = clock.days_and_hours(own)
            found |= Walk.of(held, known, wall, period, cutoff_ms, NO_SPLIT.whose).counted
    return Walk(found)


def counted(
    events: Iterable[Event],
    titles: Iterable[Title],
    period: Period = LIFETIME,
    cutoff_ms: int = FAR_MS,
) -> dict[str, Counted]:
    """All stories but those of comparison; both verifiers must say the same of them."""
    history, known = of_events(events), tuple(titles)
    seen = watched(history, Catalogue.of(known), period, cutoff_ms)
    with verifier_of(history, known, period, cutoff_ms) as verifier:
        found = count_all(seen, verifier)
    again = count_all(seen, walk_of(history, known, period, cutoff_ms))
    assert {story: one.disagreeing for story, one in found.items()} == {
        story: one.disagreeing for story, one in again.items()
    }
    return found


def recap_of(
    events: Iterable[Event],
    titles: Iterable[Title],
    period: Period = LIFETIME,
    cutoff_ms: int = FAR_MS,
) -> Recap:
    """The recap of the one profile of `events`; every fact must survive."""
    found = recaps(counted(events, titles, period, cutoff_ms))
    assert len(found) <= 1
    recap = next(iter(found.values()), Recap({}))
    assert all(story is not None for story in recap.stories.values())
    return recap


def facts_of(recap: Recap) -> dict[str, int | str]:
    """All facts by id."""
    return {
        fact_id: value
        for story in recap.stories.values()
        for fact_id, value in (story or {}).items()
    }
