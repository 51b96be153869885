"""A folder in one of the public MovieLens layouts, read line by line; bad lines are kept count of.

Layouts: `ratings.dat`, `movies.dat`, `users.dat` with `::` between fields (MovieLens 1M), and
`ratings.csv`, `movies.csv`, `tags.csv` with a header. Beside either may lie `abstracts.json`,
{movie id: text}.
"""

import csv
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from libs.domain.event import DAY_MS, Event, EventKind, Rating
from libs.domain.identifiers import check_id
from libs.domain.title import KIDS_MATURITY_YEARS, Title, TitleKind
from libs.faults import InvalidField, StartFault

MOST_STARS: Final = 5.0
# Bad lines beyond these are only counted.
SHOWN_BAD_LINES: Final = 20

_NO_GENRES: Final = "(no genres listed)"
_CHILDRENS: Final = frozenset({"Children's", "Children"})
# MovieLens says nothing of ages: what it does not file under children's may be for adults.
_UNKNOWN_MATURITY_YEARS: Final = 18
_MOST_TAGS: Final = 16
_LONGEST_TAG: Final = 40
_LONGEST_SYNOPSIS: Final = 8192
_YEAR: Final = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")
_SPACES: Final = re.compile(r"\s+")

Layout = Literal["dat", "csv"]
_LAYOUTS: Final[tuple[Layout, ...]] = ("dat", "csv")
_NEEDED: Final = ("movies", "ratings")


@dataclass(frozen=True, slots=True)
class BadLine:
    """One line that holds nothing that can be imported."""

    file: str
    line: int
    problem: str


@dataclass(slots=True)
class BadLines:
    """All that were met: how many, and the first of them."""

    count: int = 0
    first: list[BadLine] = field(default_factory=list)

    def add(self, file: str, line: int, problem: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < SHOWN_BAD_LINES:
            self.first.append(BadLine(file, line, problem))


class _Bad(Exception):
    """What is wrong with the line at hand."""


@dataclass(frozen=True, slots=True)
class MovieLensFolder:
    """Ids are the folder's own, as text."""

    path: Path
    layout: Layout

    @staticmethod
    def open(path: Path) -> "MovieLensFolder":
        """Find out the layout; raises StartFault, one line, when a file is missing."""
        if not path.is_dir():
            raise StartFault(f"{path} is no folder")
        found = {layout: _missing(path, layout) for layout in _LAYOUTS}
        layout = min(_LAYOUTS, key=lambda one: len(found[one]))
        if len(found[layout]) == len(_NEEDED):
            raise StartFault(f"{path} holds no MovieLens data: no ratings.dat and no ratings.csv")
        if found[layout]:
            raise StartFault(f"{path} has no {found[layout][0]}")
        return MovieLensFolder(path, layout)

    @property
    def has_users(self) -> bool:
        """Whether the users are listed; elsewhere they are those who rated."""
        return self.layout == "dat" and (self.path / "users.dat").is_file()

    def rating_line_count(self) -> int:
        """About how many lines of ratings there are."""
        with (self.path / f"ratings.{self.layout}").open("rb") as file:
            chunks = iter(lambda: file.read(1 << 20), b"")
            return sum(chunk.count(b"\n") for chunk in chunks)

    def titles(self, bad: BadLines) -> list[Title]:
        """The movies: each with its genres, year, tags and, if there is one, its abstract."""
        abstracts, tags = self._abstracts(), self._tags(bad)
        found: dict[str, Title] = {}
        for line, (title_id, name, genres) in self._lines(
            "movies", ("movieId", "title", "genres"), bad
        ):
            try:
                if title_id in found:
                    raise _Bad(f"movie {title_id} was described before")
                synopsis = abstracts.get(title_id, "")[:_LONGEST_SYNOPSIS]
                found[title_id] = _title(title_id, name, genres, synopsis, tags.get(title_id, ()))
            except (InvalidField, _Bad) as problem:
                bad.add(f"movies.{self.layout}", line, str(problem))
        return list(found.values())

    def profile_ids(self, bad: BadLines) -> list[str]:
        """The users that the folder lists; sex, age, occupation and zip code have no place."""
        found: dict[str, None] = {}
        if self.has_users:
            for line, (profile_id, *_) in self._lines("users", ("userId", "", "", "", ""), bad):
                try:
                    found[check_id("user id", profile_id)] = None
                except InvalidField as problem:
                    bad.add("users.dat", line, str(problem))
        return list(found)

    def ratings(
        self, title_ids: Collection[str], bad: BadLines, *, now_ms: int
    ) -> Iterator[tuple[int, Event]]:
        """Each line of ratings with its event, whose sequence is the line's place in the file.

        Most lines share their second with another of the same user; the place keeps them in
        order. A rating of a movie that is not among `title_ids` is a bad line: movies list all
        that can be rated, so the id is a slip, and the mended line can be imported again.
        """
        fields = ("userId", "movieId", "rating", "timestamp")
        for line, (profile_id, title_id, stars, seconds) in self._lines("ratings", fields, bad):
            try:
                if title_id not in title_ids:
                    raise _Bad(f"movie {title_id!r} is not in movies.{self.layout}")
                yield line, _event(line, profile_id, title_id, stars, seconds, now_ms)
            except (InvalidField, _Bad) as problem:
                bad.add(f"ratings.{self.layout}", line, str(problem))

    def _abstracts(self) -> Mapping[str, str]:
        file = self.path / "abstracts.json"
        if not file.exists():
            return {}
        try:
            abstracts = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise StartFault(f"{file} cannot be read: {error}") from error
        if not isinstance(abstracts, dict):
            raise StartFault(f"{file} must hold one object, {{movie id: text}}")
        return {key: " ".join(text.split()) for key, text in abstracts.items() if _is_text(text)}

    def _tags(self, bad: BadLines) -> Mapping[str, tuple[str, ...]]:
        """Each movie's most frequent tags, lower-case, ties in the order of the alphabet."""
        if self.layout == "dat" or not (self.path / "tags.csv").is_file():
            return {}
        counts: dict[str, Counter[str]] = {}
        for _, (title_id, tag) in self._lines("tags", ("movieId", "tag"), bad):
            cleaned = _SPACES.sub(" ", tag).strip().lower()
            if cleaned.isprintable() and 0 < len(cleaned) <= _LONGEST_TAG:
                counts.setdefault(title_id, Counter())[cleaned] += 1
        return {
            title_id: tuple(sorted(count, key=lambda tag: (-count[tag], tag))[:_MOST_TAGS])
            for title_id, count in counts.items()
        }

    def _lines(
        self, name: str, fields: tuple[str, ...], bad: BadLines
    ) -> Iterator[tuple[int, list[str]]]:
        """The number and the `fields` of each line; any line end will do."""
        file = f"{name}.{self.layout}"
        with (self.path / file).open(encoding="utf-8-sig", errors="surrogateescape") as lines:
            numbered = ((number, text.rstrip("\n")) for number, text in enumerate(lines, start=1))
            if self.layout == "csv":
                places = _places(file, next(numbered, (1, ""))[1], fields)
            for number, text in numbered:
                if not text.strip():
                    continue
                try:
                    if self.layout == "csv":
                        found = _csv_fields(text, places)
                    else:
                        found = _dat_fields(text, len(fields))
                except _Bad as problem:
                    bad.add(file, number, str(problem))
                    continue
                yield number, found


def _missing(path: Path, layout: Layout) -> list[str]:
    names = [f"{name}.{layout}" for name in _NEEDED]
    return [name for name in names if not (path / name).is_file()]


def _dat_fields(text: str, count: int) -> list[str]:
    if not text.isascii():
        text = _decoded(text)
    fields = text.split("::")
    if len(fields) != count:
        raise _Bad(f"has {len(fields)} fields instead of {count}")
    return [value.strip() for value in fields]


def _decoded(text: str) -> str:
    """What is not UTF-8 is latin-1: MovieLens 1M is the one, 10M the other."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    return text


def _places(file: str, header: str, fields: tuple[str, ...]) -> list[int]:
    names = [name.strip().strip('"') for name in header.split(",")]
    missing = [name for name in fields if name not in names]
    if missing:
        raise StartFault(f"the first line of {file} does not name {', '.join(missing)}")
    return [names.index(name) for name in fields]


def _csv_fields(text: str, places: list[int]) -> list[str]:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _Bad("is not UTF-8") from None
    try:
        # Line by line: in one go, a stray quote would swallow the rest of the file.
        values = next(csv.reader([text], strict=True)) if '"' in text else text.split(",")
    except csv.Error as error:
        raise _Bad(f"is no line of csv: {error}") from None
    if len(values) <= max(places):
        raise _Bad(f"has {len(values)} fields instead of {max(places) + 1}")
    return [values[place].strip() for place in places]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _title(
    title_id: str, name: str, genre_text: str, synopsis: str, tags: tuple[str, ...]
) -> Title:
    names = (genre.strip() for genre in genre_text.split("|"))
    genres = tuple(dict.fromkeys(genre for genre in names if genre and genre != _NO_GENRES))
    year = _YEAR.search(name)
    is_for_children = bool(_CHILDRENS.intersection(genres))
    return Title(
        title_id=title_id,
        kind=TitleKind.MOVIE,
        name=name,
        synopsis=synopsis,
        release_date=dt.date(int(year[1]), 1, 1) if year and int(year[1]) else None,
        maturity_years=KIDS_MATURITY_YEARS if is_for_children else _UNKNOWN_MATURITY_YEARS,
        genres=genres,
        tags=tags,
    )


def _event(
    line: int, profile_id: str, title_id: str, stars: str, seconds: str, now_ms: int
) -> Event:
    try:
        value, occurred_ms = float(stars), int(seconds) * 1000
    except ValueError:
        raise _Bad(f"rating {stars!r} or timestamp {seconds!r} is no number") from None
    if not 0 < value <= MOST_STARS:
        raise _Bad(f"rating {stars} is not above 0 and at most {MOST_STARS:g}")
    if occurred_ms > now_ms + DAY_MS:
        raise _Bad(f"timestamp {seconds} is more than a day ahead")
    return Event(
        # What the line says, not its place: lines may be added and mended between two imports.
        event_id=f"rating:{profile_id}:{title_id}:{seconds}:{value:g}",
        profile_id=profile_id,
        kind=EventKind.RATING,
        occurred_ms=occurred_ms,
        sequence=line,
        title_id=title_id,
        detail=Rating(value, MOST_STARS),
    )
