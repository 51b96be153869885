"""The stories of a recap: each is counted alone, and can be counted anew alone."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import polars as pl

from services.recap.year import amounts, moments, tastes
from services.recap.year.watched import Watched

Count: TypeAlias = Callable[[Watched], pl.DataFrame]

# In the order of cards; `taste` and `axes` are told of only in comparison with a cohort.
STORIES: Final[Mapping[str, Count]] = {
    "minutes": amounts.minutes,
    "titles": amounts.titles,
    "genres": amounts.genres,
    "people": amounts.people,
    "series": amounts.series,
    "binge": moments.binge,
    "rewatch": amounts.rewatch,
    "night": amounts.night,
    "release": amounts.release,
    "edges": moments.edges,
    "discoveries": tastes.discoveries,
    "days": moments.days,
    "throwbacks": tastes.throwbacks,
    "taste": tastes.taste,
    "axes": tastes.axes,
}


def count(story: str, watched: Watched) -> pl.DataFrame:
    """profile_id, fact_id, number, text of one story, ordered; one row a fact."""
    found = STORIES[story](watched).sort("p", "fact_id", multithreaded=False)
    return pl.DataFrame(
        {
            "profile_id": watched.profiles[found["p"]],
            **{name: found[name] for name in ("fact_id", "number", "text")},
        }
    )
