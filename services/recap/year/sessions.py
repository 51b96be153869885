"""The sessions of profiles, as it is assessed from them who watched."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from libs.domain.event import DAY_MS
from services.recap.year.catalogue import Catalogue
from services.recap.year.groups import Groups, best
from services.recap.year.history import WATCHING_KINDS
from services.recap.year.households import LEAST_SESSIONS, WEEK_HOURS, Sessions
from services.recap.year.local_time import HOUR_MS, local_ms

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
    seen = history.filter(
        pl.col("kind").is_in(WATCHING_KINDS) & (pl.col("session_id") != "")
    ).with_columns(ms=pl.col("to_ms") - pl.col("from_ms"))
    begun = (
        seen.group_by("profile_id", "session_id", maintain_order=True)
        .agg(pl.col("occurred_ms", "time_zone", "device").first(), pl.col("ms").sum())
        .filter(pl.col("ms") >= LEAST_MS)
        .filter(pl.len().over("profile_id") >= LEAST_SESSIONS)
        .sort("profile_id", "occurred_ms", "session_id")
        .with_row_index("s")
    )
    if begun.is_empty():
        return
    by_title = (
        seen.join(begun.select("s", "profile_id", "session_id"), on=["profile_id", "session_id"])
        .group_by("s", "title_id")
        .agg(pl.col("ms").sum())
        .sort("s", "title_id")
    )
    total_ms = begun["ms"].to_numpy()
    kids_ms = np.zeros(len(total_ms))
    for_children = by_title.filter(pl.col("title_id").is_in(catalogue.children_ids().implode()))
    np.add.at(kids_ms, for_children["s"].to_numpy(), for_children["ms"].to_numpy())
    genres, content = _content(by_title, catalogue, len(total_ms))
    known = Sessions(
        start_ms=begun["occurred_ms"].to_numpy(),
        local_hour=_hours(begun),
        device=begun["device"].to_physical().cast(pl.Int64).to_numpy(),
        content=content / total_ms[:, None],
        kids_share=kids_ms / total_ms,
        whole=_wholes(by_title, catalogue),
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


def _content(
    by_title: pl.DataFrame, catalogue: Catalogue, count: int
) -> tuple[tuple[str, ...], np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """The commonest genres, and (count, f) the ms of each; a title's are parted evenly."""
    genres = tuple(
        catalogue.genres.group_by("genre")
        .len()
        .sort("len", "genre", descending=[True, False])
        .head(_MOST_GENRES)["genre"]
        .sort()
    )
    content = np.zeros((count, max(len(genres), 1)))
    columns = pl.DataFrame({"genre": genres}, schema={"genre": pl.String()}).with_row_index("f")
    of_titles = (
        catalogue.genres_of(by_title["title_id"].unique())
        .with_columns(parts=pl.len().over("title_id"))
        .join(columns, on="genre")
    )
    spent = by_title.join(of_titles, on="title_id").sort("s", "title_id", "f")
    np.add.at(
        content,
        (spent["s"].to_numpy(), spent["f"].to_numpy()),
        spent["ms"].to_numpy() / spent["parts"].to_numpy(),
    )
    return genres, content


def _wholes(
    by_title: pl.DataFrame, catalogue: Catalogue
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(count,): of each session the whole of which most was watched, numbered by id."""
    met = by_title["title_id"].unique().to_frame()
    numbers = met.join(catalogue.whole(), on="title_id", how="left").select(
        "title_id", number=pl.col("whole_id").fill_null(pl.col("title_id")).rank("dense")
    )
    rows = by_title.join(numbers, on="title_id", how="left", maintain_order="left")
    s, number = rows["s"].to_numpy(), rows["number"].to_numpy().astype(np.int64)
    in_whole = Groups(s, number)
    return in_whole.of(number)[best(in_whole.of(s), in_whole.sums(rows["ms"].to_numpy()))]


def _hours(begun: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    at_ms = begun["occurred_ms"].to_numpy()
    local = np.empty(len(at_ms), np.int64)
    for zone in begun["time_zone"].unique().to_list():
        is_there = (begun["time_zone"] == zone).to_numpy()
        local[is_there] = local_ms(at_ms[is_there], zone)
    of_week_ms = (local + _THURSDAY * DAY_MS) % int(WEEK_HOURS * HOUR_MS)
    return of_week_ms / HOUR_MS
