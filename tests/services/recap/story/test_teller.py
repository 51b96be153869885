"""What is told while parts are away; the fakes stand behind the teller's own ports."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from libs.domain.decision import Part
from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.faults import DeadlineSpent, Fault, InvalidField, NotFound, Overloaded, PartUnavailable
from libs.features.profile_state import ProfileState, replay
from libs.features.progress import episode_ids
from libs.serving.deadlines import Deadline
from libs.storage.recap.beat_table import BeatTable, ToldEpisode
from libs.storage.recap.database import open_file
from services.recap.story.story import NoStoryReason, Story, StoryLength, nothing
from services.recap.story.teller import StoryQuery, StoryTeller
from services.recap.story.told_series import HeldBeats, make_terms
from tests.made_beats import DURATION_MS, SERIES_ID, played, saga, told


class Titles:
    """A catalogue that has come or not, and whose changes arrive or not."""

    def __init__(self, *, is_filled: bool = True, is_connected: bool = True) -> None:
        self.titles = saga() if is_filled else {}
        self.is_connected = is_connected
        self._is_filled = is_filled

    def episode_ids(self, titles: Mapping[str, Title]) -> Mapping[str, tuple[str, ...]]:
        return episode_ids(titles.values())

    async def filled(self, within_s: float) -> bool:
        return self._is_filled


class Features:
    """One state for whoever asks, or the fault that keeps it away."""

    def __init__(self, fault: Fault | None = None) -> None:
        self._fault = fault

    async def read(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        if self._fault is not None:
            raise self._fault
        return None, replay([played("a", "saga-1-1")])


@pytest.fixture
def table(tmp_path: Path) -> Iterator[BeatTable]:
    with contextlib.closing(open_file(tmp_path / "recap.sqlite")) as database:
        table = BeatTable(database, make_terms)
        table.replace("default", SERIES_ID, [ToldEpisode(told(saga()["saga-1-1"]), DURATION_MS)])
        yield table


async def tell(table: BeatTable, titles: Titles, features: Features) -> Story:
    teller = StoryTeller(lambda tenant: titles, features, HeldBeats(table, most_bytes=2**20))
    query = StoryQuery("default", "p", SERIES_ID, StoryLength.SECONDS_90)
    return await teller.tell(query, Deadline(time.monotonic() + 5))


async def test_with_everything_there_the_story_is_whole(table: BeatTable) -> None:
    story = await tell(table, Titles(), Features())
    assert story.beats
    assert story.degraded == ()


@pytest.mark.parametrize(
    "fault",
    [
        PartUnavailable("features", "away"),
        DeadlineSpent("features"),
        Overloaded("calls", retry_after_ms=5),
    ],
)
async def test_without_features_nothing_is_told(table: BeatTable, fault: Fault) -> None:
    story = await tell(table, Titles(), Features(fault))
    assert story == nothing(NoStoryReason.PROGRESS_UNKNOWN, (Part.FEATURES,))


async def test_before_the_first_catalogue_nothing_is_told(table: BeatTable) -> None:
    story = await tell(table, Titles(is_filled=False), Features())
    assert story == nothing(NoStoryReason.PROGRESS_UNKNOWN, (Part.CATALOGUE,))


async def test_from_a_catalogue_that_may_be_old_the_story_says_so(table: BeatTable) -> None:
    story = await tell(table, Titles(is_connected=False), Features())
    assert story.beats
    assert story.degraded == (Part.CATALOGUE,)


async def test_beats_that_cannot_be_read_are_no_story(tmp_path: Path) -> None:
    class Away(BeatTable):
        def newer(self, tenant: str, series_id: str, version: int) -> None:
            raise PartUnavailable("recap store", "away")

    with (
        contextlib.closing(open_file(tmp_path / "other.sqlite")) as database,
        pytest.raises(PartUnavailable),
    ):
        await tell(Away(database, make_terms), Titles(), Features())


async def test_what_is_no_series_has_no_story(table: BeatTable) -> None:
    titles = Titles()
    del titles.titles[SERIES_ID]
    with pytest.raises(NotFound):
        await tell(table, titles, Features())


@pytest.mark.parametrize(("profile_id", "series_id"), [("", SERIES_ID), ("p", "")])
def test_a_question_names_a_profile_and_a_series(profile_id: str, series_id: str) -> None:
    with pytest.raises(InvalidField):
        StoryQuery("default", profile_id, series_id, StoryLength.SECONDS_30)
