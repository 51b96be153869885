"""Both programs over events in memory."""

from collections.abc import Iterable, Sequence

from libs.domain.event import Event
from libs.domain.title import Person, Title, TitleKind
from services.recap.year.catalogue import Catalogue
from services.recap.year.counting import Counted, count_all, recaps
from services.recap.year.history import of_events
from services.recap.year.period import LIFETIME, Period
from services.recap.year.recap import Recap
from services.recap.year.verifier import Verifier
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


def counted(
    events: Iterable[Event],
    titles: Iterable[Title],
    period: Period = LIFETIME,
    cutoff_ms: int = FAR_MS,
) -> dict[str, Counted]:
    """All stories but those of comparison."""
    history, catalogue = of_events(events), Catalogue.of(titles)
    verifier = Verifier(catalogue, threads=1)
    try:
        verifier.open_history(history, period, cutoff_ms)
        return count_all(watched(history, catalogue, period, cutoff_ms), verifier)
    finally:
        verifier.close()


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
