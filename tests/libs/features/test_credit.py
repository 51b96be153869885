import numpy as np

from libs.domain.title import Title, TitleKind
from libs.features.credit import credit, credited_rows
from libs.features.title_counters import TITLE_COUNTER_COUNT
from libs.features.title_table import TitleTable

TITLES = (
    Title("series", TitleKind.SERIES, "S"),
    Title("e1", TitleKind.EPISODE, "E1", parent_id="series"),
    Title("e2", TitleKind.EPISODE, "E2", parent_id="series"),
    Title("orphan", TitleKind.EPISODE, "O", parent_id="nowhere"),
    Title("movie", TitleKind.MOVIE, "M"),
    Title("extra", TitleKind.EXTRA, "X", parent_id="movie"),
)


def test_an_episode_counts_for_its_series_and_an_extra_for_nothing() -> None:
    assert credit(TITLES, ("movie", "series")).row_of == {
        "movie": 0,
        "series": 1,
        "e1": 1,
        "e2": 1,
    }


def test_an_episode_with_a_row_of_its_own_still_counts_for_its_series() -> None:
    assert credit(TITLES, ("e1", "series")).row_of["e1"] == 1


def test_the_counters_of_a_series_are_the_sum_over_its_episodes_and_itself() -> None:
    ids = ("e1", "e2", "extra", "movie", "series")
    counters = np.repeat(
        np.array([[1], [2], [4], [8], [16]], dtype=np.float32), TITLE_COUNTER_COUNT, axis=1
    )
    table = TitleTable(0, ids, counters, {"DE": counters * 10})
    rows = credited_rows(table, credit(TITLES, ("movie", "series", "new")), "DE")
    assert rows.counters[:, 0].tolist() == [8, 19, 0]
    assert rows.country_counters[:, -1].tolist() == [80, 190, 0]


def test_a_country_without_events_has_zeros() -> None:
    table = TitleTable(0, ("movie",), np.ones((1, TITLE_COUNTER_COUNT), np.float32), {})
    rows = credited_rows(table, credit(TITLES, ("movie",)), "FR")
    assert rows.counters.sum() == TITLE_COUNTER_COUNT
    assert rows.country_counters.sum() == 0
