"""The sessions of profiles, as it is assessed from them who watched."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from services.recap.year.catalogue import Catalogue
from services.recap.year.groups import best, grouped
from services.recap.year.history import IS_WATCHING, kind_numbers
from services.recap.year.households import LEAST_SESSIONS, WEEK_HOURS, Sessions
from services.recap.year.local_time import HOUR_MS, wall_ms
from services.recap.year.numbering import Ints, changes, ordered, placed

# With less watched it says nothing of who it was.
LEAST_MS: Final = 120_000
_MOST_GENRES: Final = 64
_THURSDAY: Final = 3  # 1970-01-01, in days since Monday


@dataclass(frozen=True, slots=True, eq=False)
class ProfileSessions:
    """Those of one profile, in the order of time."""

    profile_id: str
    session_ids: tuple[str, ...]  # (s,)
    sessions: Sessions
    genres: tuple[str, ...]  # (f,), of the columns of content


def sessions_of(history: pl.DataFrame, catalogue: Catalogue) -> Iterator[ProfileSessions]:
    """Of each profile of `history` with enough of them, ascending by profile.

    `history` is in the order of each profile's events, all of them before the cutoff. Events
    without a session are in none.
    """
    is_seen = IS_WATCHING[kind_numbers(history)] & (history["session_id"] != "").to_numpy()
    seen = history if is_seen.all() else history[np.flatnonzero(is_seen)]
    of_event, begun = _begun(seen)
    begun = (
        begun.filter(pl.col("ms") >= LEAST_MS)
        .filter(pl.len().over("profile_id") >= LEAST_SESSIONS)
        .sort("profile_id", "occurred_ms", "session_id")
        .with_row_index("s")
    )
    if begun.is_empty():
        return
    # Of those that are left out −1.
    place = np.full(int(of_event.max()) + 1, -1, np.int64)
    place[begun["number"].to_numpy()] = begun["s"].to_numpy()
    title_ids = ordered(seen["title_id"])
    s, t = place[of_event], placed(seen["title_id"], title_ids)
    ms = (seen["to_ms"] - seen["from_ms"]).to_numpy()
    if (s < 0).any():
        s, t, ms = (column[s >= 0] for column in (s, t, ms))
    by_title = grouped(s, t)
    s, t, ms = by_title.of(s), by_title.of(t), by_title.sums(ms)
    total_ms = begun["ms"].to_numpy()
    is_childrens = title_ids.is_in(catalogue.children_ids().implode()).to_numpy()
    kids_ms = np.bincount(s, is_childrens[t] * ms.astype(np.float64), len(total_ms))
    genres, content = _content(s, t, ms, title_ids, catalogue, len(total_ms))
    known = Sessions(
        start_ms=begun["occurred_ms"].to_numpy(),
        local_hour=_hours(begun),
        device=begun["device"].to_physical().cast(pl.Int64).to_numpy(),
        content=content / total_ms[:, None],
        kids_share=kids_ms / total_ms,
        whole=_wholes(s, t, ms, title_ids, catalogue),
    )
    ids = begun["session_id"].to_list()
    for profile_id, first, count in (
        begun.group_by("profile_id", maintain_order=True)
        .agg(pl.col("s").first(), count=pl.len())
        .iter_rows()
    ):
        rows = np.arange(first, first + count)
        yield ProfileSessions(
            profile_id, tuple(ids[first : first + count]), known.take(rows), genres
        )


def _begun(seen: pl.DataFrame) -> tuple[Ints, pl.DataFrame]:
    """(n,) the number of each event's session, and of each session how its first event is.

    Events of a session mostly follow each other: what follows is looked up once.
    """
    starts = np.flatnonzero(changes(seen["profile_id"]) | changes(seen["session_id"]))
    ms = (seen["to_ms"] - seen["from_ms"]).to_numpy()
    runs = seen.select("profile_id", "session_id", "occurred_ms", "time_zone", "device")[
        starts
    ].with_columns(ms=np.add.reduceat(ms, starts) if len(starts) else ms)
    begun = (
        runs.group_by("profile_id", "session_id", maintain_order=True)
        .agg(pl.col("occurred_ms", "time_zone", "device").first(), pl.col("ms").sum())
        .with_row_index("number")
    )
    number = runs.join(
        begun.select("profile_id", "session_id", "number"),
        on=["profile_id", "session_id"],
        maintain_order="left",
    )["number"].to_numpy()
    return np.repeat(number.astype(np.int64), np.diff(starts, append=len(seen))), begun


def _content(
    s: Ints, t: Ints, ms: Ints, title_ids: pl.Series, catalogue: Catalogue, count: int
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The commonest genres, and (count, f) the ms of each; a title's are parted evenly.

    Each sum is made in the order of titles and genres, so that it is one to the last bit.
    """
    genres = tuple(
        catalogue.genres.group_by("genre")
        .len()
        .sort("len", "genre", descending=[True, False])
        .head(_MOST_GENRES)["genre"]
        .sort()
    )
    width = max(len(genres), 1)
    columns = pl.DataFrame({"genre": genres}, schema={"genre": pl.String()}).with_row_index("f")
    of_titles = (
        catalogue.genres_of(title_ids)
        .with_columns(parts=pl.len().over("title_id"))
        .join(columns, on="genre")
        .sort("title_id", "f")
    )
    owner = placed(of_titles["title_id"], title_ids)
    counts = np.bincount(owner, minlength=len(title_ids))
    parts = np.zeros(len(title_ids))
    parts[owner] = of_titles["parts"].to_numpy()
    # A row of each session, title and genre.
    repeats = counts[t]
    rows = np.repeat(np.arange(len(t)), repeats)
    genre = np.arange(len(rows)) + np.repeat(
        (np.cumsum(counts) - counts)[t] - (np.cumsum(repeats) - repeats), repeats
    )
    cells = s[rows] * width + of_titles["f"].to_numpy()[genre]
    spent = np.bincount(cells, ms[rows] / parts[t[rows]], count * width).astype(np.float64)
    return genres, spent.reshape(count, width)


def _wholes(s: Ints, t: Ints, ms: Ints, title_ids: pl.Series, catalogue: Catalogue) -> Ints:
    """(count,): of each session the whole of which most was watched, numbered by id."""
    whole_ids = (
        title_ids.to_frame("title_id")
        .join(catalogue.whole(), on="title_id", how="left", maintain_order="left")
        .select(pl.col("whole_id").fill_null(pl.col("title_id")))
        .to_series()
    )
    number = placed(whole_ids, ordered(whole_ids))[t]
    in_whole = grouped(s, number)
    most: Ints = in_whole.of(number)[best(in_whole.of(s), in_whole.sums(ms))]
    return most


def _hours(begun: pl.DataFrame) -> NDArray[np.float64]:
    of_week_ms = (wall_ms(begun) + _THURSDAY * DAY_MS) % int(WEEK_HOURS * HOUR_MS)
    return of_week_ms / HOUR_MS
