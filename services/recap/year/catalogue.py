"""The catalogue as the tables that recaps are counted over."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from libs.domain.title import KIDS_MATURITY_YEARS, Title, TitleKind

_TITLES: Final = {
    "title_id": pl.String(),
    "kind": pl.String(),
    "name": pl.String(),
    "parent_id": pl.String(),
    "release_date": pl.Date(),
    "maturity_years": pl.Int32(),
}
FRAMES: Final = ("titles", "title_genres", "title_people")


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Titles, and what is theirs; without duplicates and ordered, so that it is one value."""

    titles: pl.DataFrame  # title_id, kind, name, parent_id, release_date, maturity_years
    genres: pl.DataFrame  # title_id, genre
    people: pl.DataFrame  # title_id, person

    @staticmethod
    def of(titles: Iterable[Title]) -> "Catalogue":
        """The tables of these titles."""
        known = sorted(titles, key=lambda title: title.title_id)
        return Catalogue(
            titles=pl.DataFrame(
                [
                    (
                        one.title_id,
                        one.kind.name,
                        one.name,
                        one.parent_id,
                        one.release_date,
                        one.maturity_years,
                    )
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

    def frames(self) -> dict[str, pl.DataFrame]:
        """Its tables by the names that SQL has for them."""
        return dict(zip(FRAMES, (self.titles, self.genres, self.people), strict=True))

    def whole(self) -> pl.DataFrame:
        """title_id, and as whole_id the series of an episode, of others the title itself."""
        is_part = pl.col("kind") == TitleKind.EPISODE.name
        return self.titles.select(
            "title_id",
            "kind",
            whole_id=pl.when(is_part).then("parent_id").otherwise("title_id"),
        )

    def children_ids(self) -> pl.Series:
        """The titles for children, an episode's age being its series' where it says none.

        Where no title says an age none is for children in particular.
        """
        ages = self.titles.select("title_id", "maturity_years")
        if not (ages["maturity_years"] > 0).any():
            return pl.Series("title_id", [], pl.String())
        wholes = ages.select(whole_id="title_id", whole_years="maturity_years")
        years = pl.max_horizontal("maturity_years", pl.col("whole_years").fill_null(0))
        own = pl.when(pl.col("maturity_years") > 0).then("maturity_years").otherwise(years)
        return (
            self.whole()
            .join(ages, on="title_id")
            .join(wholes, on="whole_id", how="left")
            .filter(own <= KIDS_MATURITY_YEARS)
            .sort("title_id")["title_id"]
        )

    def genres_of(self, title_ids: pl.Series) -> pl.DataFrame:
        """title_id, genre: a title's own, of one without those of the whole; ordered."""
        met = self.whole().filter(pl.col("title_id").is_in(title_ids.implode()))
        own = met.join(self.genres, on="title_id").select("title_id", "genre")
        without = met.join(own, on="title_id", how="anti")
        wholes = self.genres.select("genre", whole_id="title_id")
        return pl.concat(
            [own, without.join(wholes, on="whole_id").select("title_id", "genre")]
        ).sort("title_id", "genre")


def _pairs(name: str, rows: Iterable[tuple[str, Iterable[str]]]) -> pl.DataFrame:
    found = sorted({(title_id, value) for title_id, values in rows for value in values if value})
    schema = {"title_id": pl.String(), name: pl.String()}
    return pl.DataFrame(found, schema=schema, orient="row")
