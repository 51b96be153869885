import dataclasses

from libs.domain.beat_catalogue import is_series, misfits
from tests.made_beats import DURATION_MS, SERIES_ID, saga, told

TITLES = saga()
EPISODE = told(TITLES["saga-1-1"])


def test_beats_of_an_episode_fit() -> None:
    assert list(misfits(TITLES, SERIES_ID, EPISODE)) == []


def test_a_series_is_a_series_of_the_catalogue() -> None:
    assert is_series(TITLES, SERIES_ID)
    assert not is_series(TITLES, "saga-1-1")
    assert not is_series(TITLES, "nobody")


def test_all_beats_beyond_the_end_are_named() -> None:
    shorter = dataclasses.replace(TITLES["saga-1-1"], duration_ms=DURATION_MS - 6 * 60_000)
    found = list(misfits(TITLES | {"saga-1-1": shorter}, SERIES_ID, EPISODE))
    assert [one.within_episode().field for one in found] == ["beats[6].end_ms", "beats[7].end_ms"]


def test_an_unknown_duration_bounds_nothing() -> None:
    unknown = dataclasses.replace(TITLES["saga-1-1"], duration_ms=0)
    assert list(misfits(TITLES | {"saga-1-1": unknown}, SERIES_ID, EPISODE)) == []


def test_an_episode_of_nobody_or_of_another_series_does_not_fit() -> None:
    for titles, series_id in (({}, SERIES_ID), (TITLES, "other")):
        [found] = misfits(titles, series_id, EPISODE)
        assert found.within_episode().field == "episode_id"
