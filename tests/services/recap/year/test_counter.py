from collections.abc import Mapping

from libs.domain.event import DAY_MS
from libs.domain.title import Title, TitleKind
from services.recap.ports import HeldHistory
from services.recap.year.cohort import NO_COHORTS
from services.recap.year.counter import Counter
from services.recap.year.history import of_events
from services.recap.year.period import LIFETIME
from tests.made_recaps import play

NOW_MS = 20_000 * DAY_MS


class Changing:
    """A catalogue to which a title comes just while it is read for the first time."""

    def __init__(self) -> None:
        self.version = 1
        self._titles: dict[str, Title] = {}

    @property
    def titles(self) -> Mapping[str, Title]:
        found = self._titles
        if self.version == 1:
            self._titles = {"m": Title("m", TitleKind.MOVIE, "M")}
            self.version = 2
        return found


def test_a_catalogue_that_changes_while_it_is_read_is_read_again() -> None:
    counter, titles = Counter(most_tenants=1), Changing()
    held = HeldHistory("p", of_events(play("e", NOW_MS - DAY_MS, "m", 30)), [])
    movies = []
    for _ in range(2):
        (recap,) = counter.count("t", titles, held, "", LIFETIME, NOW_MS, NO_COHORTS).values()
        movies.append((recap.stories["titles"] or {})["titles.movies"])
    counter.close()
    assert movies == [0, 1]
