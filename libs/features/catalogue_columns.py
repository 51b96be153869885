"""The catalogue as columns aligned with the rows of a bundle: what filters and features read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import KIDS_MATURITY_YEARS, Title, TitleKind
from libs.features.credit import Credit, credit

UNKNOWN_KIND: Final = 0

_OPEN_END: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class LicenceWindows:
    """All licence windows, flattened; code -1 is every country, an open end the largest number."""

    rows: NDArray[np.int32]  # (w,)
    countries: NDArray[np.int16]  # (w,), codes of CatalogueColumns.licence_countries
    starts_ms: NDArray[np.int64]  # (w,)
    ends_ms: NDArray[np.int64]  # (w,)


@dataclass(frozen=True, slots=True, eq=False)
class CatalogueColumns:
    """n titles, aligned with `title_ids`; codes index the tuple of names beside them."""

    title_ids: tuple[str, ...]
    known: NDArray[np.bool_]  # (n,), False where the catalogue has no such title any more
    kind: NDArray[np.int8]  # (n,), a TitleKind, or UNKNOWN_KIND
    parent_row: NDArray[np.int32]  # (n,), -1 without a parent among the rows
    season: NDArray[np.int16]  # (n,)
    episode: NDArray[np.int16]  # (n,)
    duration_ms: NDArray[np.int64]  # (n,)
    release_ms: NDArray[np.int64]  # (n,), 00:00 UTC of the day; 0 unknown
    maturity_years: NDArray[np.int8]  # (n,)
    language: NDArray[np.int16]  # (n,)
    languages: tuple[str, ...]
    country: NDArray[np.int16]  # (n,)
    countries: tuple[str, ...]
    genres: NDArray[np.float32]  # (n, g), 1 where the title has the genre
    genre_names: tuple[str, ...]
    licences: LicenceWindows
    licence_countries: tuple[str, ...]
    credit: Credit
    # Windows by the country of a request, made at its first request.
    _shown_in: dict[str, "ShownIn"] = field(default_factory=dict, repr=False)

    def shown_in(self, country: str) -> "ShownIn":
        """The licences as a request from `country` meets them."""
        shown = self._shown_in.get(country)
        if shown is None:
            shown = self._shown_in[country] = _shown_in(self, country)
        return shown


@dataclass(frozen=True, slots=True, eq=False)
class ShownIn:
    """One country's licences; a row without any window is always shown."""

    always: NDArray[np.bool_]  # (n,), known titles without any licence window
    rows: NDArray[np.int32]  # (w,)
    starts_ms: NDArray[np.int64]  # (w,)
    ends_ms: NDArray[np.int64]  # (w,)


def from_titles(titles: Iterable[Title], row_ids: tuple[str, ...]) -> CatalogueColumns:
    """The columns of `row_ids`; titles without a row only say what they count for."""
    everything = tuple(titles)
    by_id = {title.title_id: title for title in everything}
    found = [by_id.get(title_id) for title_id in row_ids]
    row_of = {title_id: row for row, title_id in enumerate(row_ids)}
    language, languages = _codes([title.language if title else "" for title in found])
    country, countries = _codes([title.country if title else "" for title in found])
    genres, genre_names = _genres(found)
    licences, licence_countries = _licences(found)
    return CatalogueColumns(
        title_ids=row_ids,
        known=np.array([title is not None for title in found], dtype=np.bool_),
        kind=np.array([title.kind if title else UNKNOWN_KIND for title in found], dtype=np.int8),
        parent_row=np.array(
            [row_of.get(title.parent_id, -1) if title else -1 for title in found], dtype=np.int32
        ),
        season=_int16([title.season_number if title else 0 for title in found]),
        episode=_int16([title.episode_number if title else 0 for title in found]),
        duration_ms=np.array([title.duration_ms if title else 0 for title in found], np.int64),
        release_ms=np.array([_release_ms(title) for title in found], dtype=np.int64),
        maturity_years=np.array([title.maturity_years if title else 0 for title in found], np.int8),
        language=language,
        languages=languages,
        country=country,
        countries=countries,
        genres=genres,
        genre_names=genre_names,
        licences=licences,
        licence_countries=licence_countries,
        credit=credit(everything, row_ids),
    )


def is_available(
    columns: CatalogueColumns,
    country: str,
    at_ms: int,
    maturity_limit_years: int | None,
    kids: bool,
) -> NDArray[np.bool_]:
    """Which rows (n,) may be shown: known, released, licensed there and then, old enough.

    A request of an unknown country ("") sees only what is licensed everywhere.
    """
    shown = columns.shown_in(country)
    available = shown.always.copy()
    open_now = (shown.starts_ms <= at_ms) & (at_ms < shown.ends_ms)
    available[shown.rows[open_now]] = True
    available &= columns.release_ms <= at_ms
    limit = KIDS_MATURITY_YEARS if kids else None
    if maturity_limit_years is not None:
        limit = maturity_limit_years if limit is None else min(limit, maturity_limit_years)
    if limit is not None:
        available &= columns.maturity_years <= limit
    return available


def is_recommendable(columns: CatalogueColumns) -> NDArray[np.bool_]:
    """Which rows (n,) people start from a page: all but episodes, extras and the unknown."""
    kind = columns.kind
    is_start: NDArray[np.bool_] = (kind != TitleKind.EPISODE) & (kind != TitleKind.EXTRA)
    return columns.known & is_start


def recommendable_ids(titles: Iterable[Title]) -> tuple[str, ...]:
    """The ids, ascending, of the titles that get a row in a bundle."""
    return tuple(
        sorted(
            title.title_id
            for title in titles
            if title.kind not in (TitleKind.EPISODE, TitleKind.EXTRA)
        )
    )


def _shown_in(columns: CatalogueColumns, country: str) -> ShownIn:
    licences = columns.licences
    always = columns.known.copy()
    always[licences.rows] = False
    here = licences.countries == -1
    if country in columns.licence_countries:
        here |= licences.countries == columns.licence_countries.index(country)
    return ShownIn(
        always=always,
        rows=licences.rows[here],
        starts_ms=licences.starts_ms[here],
        ends_ms=licences.ends_ms[here],
    )


def _codes(values: Sequence[str]) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    names = tuple(sorted(set(values)))
    code_of = {name: code for code, name in enumerate(names)}
    return _int16([code_of[value] for value in values]), names


def _int16(values: Sequence[int]) -> NDArray[np.int16]:
    return np.minimum(np.array(values, dtype=np.int64), np.iinfo(np.int16).max).astype(np.int16)


def _genres(found: Sequence[Title | None]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    names = tuple(sorted({genre for title in found if title for genre in title.genres}))
    column_of = {name: column for column, name in enumerate(names)}
    genres = np.zeros((len(found), len(names)), dtype=np.float32)
    for row, title in enumerate(found):
        if title:
            genres[row, [column_of[genre] for genre in title.genres]] = 1
    return genres, names


def _licences(found: Sequence[Title | None]) -> tuple[LicenceWindows, tuple[str, ...]]:
    flat = [
        (row, window)
        for row, title in enumerate(found)
        if title
        for window in title.licence_windows
    ]
    names = tuple(sorted({window.country for _, window in flat if window.country}))
    code_of = {"": -1, **{name: code for code, name in enumerate(names)}}
    windows = LicenceWindows(
        rows=np.array([row for row, _ in flat], dtype=np.int32),
        countries=np.array([code_of[window.country] for _, window in flat], dtype=np.int16),
        starts_ms=np.array([window.start_ms for _, window in flat], dtype=np.int64),
        ends_ms=np.array([window.end_ms or _OPEN_END for _, window in flat], dtype=np.int64),
    )
    return windows, names


def _release_ms(title: Title | None) -> int:
    if title is None or title.release_date is None:
        return 0
    return max(0, int(datetime.combine(title.release_date, time(), UTC).timestamp() * 1000))
