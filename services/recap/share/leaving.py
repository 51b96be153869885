"""What may leave: which titles, and which names that only other titles have.

A title may leave unless the viewer hides it or its series, the catalogue does not know it, it or
its series is for adults (18 and above), or is for children: what the kids flag lets through, so
that no card tells of a child in the house. One that does not say whom it is for counts as the
children's too: nobody can tell that it is fit to be shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from libs.domain.title import KIDS_MATURITY_YEARS, Title

MATURE_YEARS: Final = 18


@dataclass(frozen=True, slots=True, eq=False)
class Leaving:
    """The rules of one share."""

    titles: Mapping[str, Title]
    hidden_ids: frozenset[str]

    def title_name(self, title_id: str) -> str | None:
        """The name of a title that may leave; None of another."""
        title = self.titles.get(title_id)
        return title.name if title is not None and self._may_leave(title) else None

    def genre_name(self, genre: str) -> str | None:
        """The genre, where some title of it may leave."""
        return genre if self._is_of_some(genre, (t.genres for t in self._free())) else None

    def person_name(self, person: str) -> str | None:
        """The name, where somebody of that name takes part in some title that may leave."""
        names = ((one.name for one in title.people) for title in self._free())
        return person if self._is_of_some(person, names) else None

    def _free(self) -> Iterable[Title]:
        return (title for title in self.titles.values() if self._may_leave(title))

    def _is_of_some(self, name: str, values: Iterable[Iterable[str]]) -> bool:
        return any(name in one for one in values)

    def _may_leave(self, title: Title) -> bool:
        if not self._is_open(title):
            return False
        if not title.parent_id:
            return True
        parent = self.titles.get(title.parent_id)
        return parent is not None and self._is_open(parent)

    def _is_open(self, title: Title) -> bool:
        return (
            title.title_id not in self.hidden_ids
            and KIDS_MATURITY_YEARS < title.maturity_years < MATURE_YEARS
        )
