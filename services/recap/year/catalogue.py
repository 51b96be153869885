"""The catalogue as the tables that recaps are counted over."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from libs.domain.title import Title, TitleKind

_TITLES: Final = {
    "title_id": pl.String(),
    "kind": pl.String(),
    "name": pl.String(),
    "parent_id": pl.String(),
    "release_date": pl.Date(),
}
_FILES: Final = ("titles", "title_genres", "title_people")


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Titles, and what is theirs; without duplicates and ordered, so that it is one value."""

    titles: pl.DataFrame  # title_id, kind, name, parent_id, release_date
    genres: pl.DataFrame  # title_id, genre
    people: pl.DataFrame  # title_id, person

    @staticmethod
    def of(titles: Iterable[Title]) -> "Catalogue":
        """The tables of these titles."""
        known = sorted(titles, key=lambda title: title.title_id)
        return Catalogue(
            titles=pl.DataFrame(
                [
                    (one.title_id, one.kind.name, one.name, one.parent_id, one.release_date)
                    for one in known
                ],
                schema=_TITLES,
                orient="row",
            ),
            genres=_pairs("genre", ((one.title_id, one.genres) for one in known)),
            people=_pairs(
                "person",
                ((one.title_id, (person.name for person in one.people)) for one in known),
            ),
        )

    def write(self, folder: Path) -> None:
        """As titles.parquet, title_genres.parquet and title_people.parquet."""
        for name, frame in zip(_FILES, (self.titles, self.genres, self.people), strict=True):
            frame.write_parquet(folder / f"{name}.parquet")

    @staticmethod
    def read(folder: Path) -> "Catalogue":
        """What `write` wrote."""
        return Catalogue(*(pl.read_parquet(folder / f"{name}.parquet") for name in _FILES))

    def whole(self) -> pl.DataFrame:
        """title_id, and as whole_id the series of an episode, of others the title itself."""
        is_part = pl.col("kind") == TitleKind.EPISODE.name
        return self.titles.select(
            "title_id",
            "kind",
            whole_id=pl.when(is_part).then("parent_id").otherwise("title_id"),
        )


def _pairs(name: str, rows: Iterable[tuple[str, Iterable[str]]]) -> pl.DataFrame:
    found = sorted({(title_id, value) for title_id, values in rows for value in values if value})
    schema = {"title_id": pl.String(), name: pl.String()}
    return pl.DataFrame(found, schema=schema, orient="row")
