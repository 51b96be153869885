"""StoryService over real servers and files."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from libs.domain.consent import Consent
from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.faults import InvalidField, NotFound
from libs.serving.beat_codec import episode_message
from libs.serving.channels import call
from libs.serving.profile_codec import profile_message
from libs.storage.catalogue_store import SqliteCatalogueStore
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.common.v1 import purpose_pb2
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import story_pb2, story_pb2_grpc
from services.candidates.settings import CandidatesSettings
from services.events.events_codec import event_message
from tests.made_beats import DURATION_MS, MINUTE_MS, SERIES_ID, played, saga, told
from tests.made_suite import Served, fill, served

EPISODES = [title for title in saga().values() if title.parent_id]
ALL_BEATS = [told(title) for title in EPISODES]


class Story:
    """The suite as a test of stories needs it."""

    def __init__(self, suite: Served) -> None:
        self.suite = suite
        self._stub = story_pb2_grpc.StoryServiceStub(suite.recap)
        self._events = events_pb2_grpc.EventsServiceStub(suite.events)
        self._candidates = candidates_pb2_grpc.CandidatesServiceStub(suite.candidates)

    async def ask(self, method: str, request: Message) -> Any:
        return await call("recap", getattr(self._stub, method), request, timeout_s=10)

    async def upsert(
        self, *episodes: story_pb2.EpisodeBeats, series_id: str = SERIES_ID
    ) -> story_pb2.UpsertBeatsResponse:
        request = story_pb2.UpsertBeatsRequest(series_id=series_id, episodes=episodes)
        answer = await self.ask("UpsertBeats", request)
        assert isinstance(answer, story_pb2.UpsertBeatsResponse)
        return answer

    async def tell(
        self,
        profile_id: str = "p",
        length: story_pb2.StoryLength.ValueType = story_pb2.STORY_LENGTH_UNSPECIFIED,
    ) -> story_pb2.GetStoryRecapResponse:
        answer = await self.ask(
            "GetStoryRecap",
            story_pb2.GetStoryRecapRequest(
                profile_id=profile_id, series_id=SERIES_ID, length=length
            ),
        )
        assert isinstance(answer, story_pb2.GetStoryRecapResponse)
        return answer

    async def record(self, events: Iterable[Event]) -> None:
        request = events_pb2.RecordEventsRequest(events=map(event_message, events))
        answer = await call("events", self._events.RecordEvents, request, timeout_s=10)
        assert not answer.rejections

    async def store(self, profile: Profile) -> None:
        request = events_pb2.UpsertProfilesRequest(profiles=[profile_message(profile)])
        await call("events", self._events.UpsertProfiles, request, timeout_s=10)

    async def delete(self, title_id: str) -> None:
        request = candidates_pb2.DeleteTitlesRequest(title_ids=[title_id])
        await call("candidates", self._candidates.DeleteTitles, request, timeout_s=10)


@asynccontextmanager
async def told_suite(home: Path) -> AsyncIterator[Story]:
    """The suite with the saga in its catalogue and all of its beats."""
    fill(home, "default", "")
    store = SqliteCatalogueStore(CandidatesSettings(home=home).catalogue_path)
    store.upsert("default", list(saga().values()))
    store.close()
    async with served(home) as suite:
        story = Story(suite)
        await story.upsert(*map(episode_message, ALL_BEATS))
        yield story


async def test_the_story_goes_as_far_as_was_watched(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        await story.record(
            [
                played("a", "saga-1-1"),
                played("b", "saga-1-2", 0, 12 * MINUTE_MS),
                played("c", "saga-1-3"),
            ]
        )
        answer = await story.tell()
    assert answer.watched_episode_count == 1
    assert (answer.next_episode.season_number, answer.next_episode.episode_number) == (1, 2)
    assert answer.position_ms == 12 * MINUTE_MS
    assert [one.episode_id for one in answer.later_episodes] == [
        "saga-1-3",
        "saga-2-1",
        "saga-2-2",
        "saga-2-3",
    ]
    # Two beats of five minutes each end before the twelfth.
    assert {
        (one.episode_id, one.end_ms) for one in answer.beats if one.episode_id != "saga-1-1"
    } == {
        ("saga-1-2", 5 * MINUTE_MS),
        ("saga-1-2", 10 * MINUTE_MS),
    }
    assert {one.name for one in answer.characters} == {"Ann", "Ben", "Guest 1x1", "Guest 1x2"}
    assert [one.kind for one in answer.relations if one.to_character == "Ben"] == ["kind of 1x1"]
    assert not answer.problem
    assert not answer.degraded
    assert "Spoiler" not in str(answer)
    assert "Synopsis" not in str(answer)
    assert 0 < sum(cut.to_ms - cut.from_ms for cut in answer.cuts) <= 90_000


async def test_texts_are_told_as_they_were_written(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        await story.record([played("a", "saga-1-1")])
        answer = await story.tell(length=story_pb2.STORY_LENGTH_MINUTES_3)
    texts = {beat.text for beat in ALL_BEATS[0].beats}
    assert {beat.text for beat in answer.beats} == texts


async def test_a_shorter_story_takes_no_longer_than_asked(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        await story.record([played(title.title_id, title.title_id) for title in EPISODES])
        lengths = {}
        for name, seconds in (("SECONDS_30", 30), ("SECONDS_90", 90), ("MINUTES_3", 180)):
            length = story_pb2.StoryLength.Value(f"STORY_LENGTH_{name}")
            answer = await story.tell(length=length)
            lengths[seconds] = answer.reading_ms
            assert 0 < answer.reading_ms <= seconds * 1_000
            assert sum(cut.to_ms - cut.from_ms for cut in answer.cuts) <= min(seconds, 120) * 1_000
            assert not answer.HasField("next_episode")
            assert answer.watched_episode_count == len(EPISODES)
    assert lengths[30] < lengths[90] < lengths[180]


async def test_nothing_is_told_before_the_first_minute(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        await story.record(
            [played("a", "saga-2-3"), played("b", "saga-1-1", MINUTE_MS, 30 * MINUTE_MS)]
        )
        answer = await story.tell()
    assert answer.problem == story_pb2.NO_STORY_REASON_NOT_STARTED
    for field in (answer.beats, answer.characters, answer.relations, answer.cuts):
        assert not field
    assert answer.next_episode.episode_id == "saga-1-1"


async def test_what_nobody_has_told_is_said_to_be_missing(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        await story.upsert(
            *(story_pb2.EpisodeBeats(episode_id=title.title_id) for title in EPISODES)
        )
        await story.record([played("a", "saga-1-1")])
        answer = await story.tell()
        listed = await story.ask("ListBeats", story_pb2.ListBeatsRequest(series_id=SERIES_ID))
    assert answer.problem == story_pb2.NO_STORY_REASON_NO_BEATS
    assert answer.watched_episode_count == 1
    assert not listed.episodes


@pytest.mark.parametrize(
    ("consent", "is_told"), [(Consent.PERSONALIZATION, True), (Consent.RECAP, False)]
)
async def test_who_refuses_recaps_gets_none_and_who_refuses_personalization_does(
    tmp_path: Path, consent: Consent, is_told: bool
) -> None:
    async with told_suite(tmp_path) as story:
        await story.store(Profile("p", refused_consents=frozenset({consent})))
        await story.record([played("a", "saga-1-1")])
        answer = await story.tell()
    assert bool(answer.beats) is is_told
    assert (answer.problem == story_pb2.NO_STORY_REASON_REFUSED) is not is_told


async def test_without_features_nothing_is_told_rather_than_guessed(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        await story.record([played("a", "saga-1-1")])
        assert (await story.tell()).beats
        for file in (tmp_path / "events").glob("events.sqlite*"):
            file.rename(file.with_name(f"away-{file.name}"))
        answer = await story.tell()
    wanted = story_pb2.GetStoryRecapResponse(
        problem=story_pb2.NO_STORY_REASON_PROGRESS_UNKNOWN, degraded=[purpose_pb2.PART_FEATURES]
    )
    assert answer == wanted


async def test_a_deleted_episode_is_no_longer_part_of_the_story(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        await story.record([played("a", "saga-1-1"), played("b", "saga-1-3")])
        assert {beat.episode_id for beat in (await story.tell()).beats} == {"saga-1-1"}
        await story.delete("saga-1-2")
        while len((answer := await story.tell()).later_episodes) > 2:
            pass
        listed = await story.ask("ListBeats", story_pb2.ListBeatsRequest(series_id=SERIES_ID))
    assert {beat.episode_id for beat in answer.beats} == {"saga-1-1", "saga-1-3"}
    assert [one.episode_id for one in listed.episodes][-1] == "saga-1-2"


async def test_the_same_beats_again_change_nothing(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        again = await story.upsert(*map(episode_message, ALL_BEATS))
        assert (again.beat_count, again.changed_episode_count) == (48, 0)
        other = episode_message(ALL_BEATS[2])
        other.beats[0].text = "Something else."
        changed = await story.upsert(episode_message(ALL_BEATS[1]), other)
        assert (changed.beat_count, changed.changed_episode_count) == (16, 1)


async def test_beats_are_listed_in_the_order_of_the_series(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        found: list[story_pb2.EpisodeBeats] = []
        token = ""
        while True:
            page = await story.ask(
                "ListBeats",
                story_pb2.ListBeatsRequest(series_id=SERIES_ID, page_size=4, page_token=token),
            )
            found.extend(page.episodes)
            token = page.next_page_token
            if not token:
                break
    assert found == list(map(episode_message, ALL_BEATS))


def _longer(message: story_pb2.EpisodeBeats) -> None:
    message.beats[-1].end_ms = DURATION_MS + 1


def _overlapping(message: story_pb2.EpisodeBeats) -> None:
    message.beats[2].start_ms -= 1


def _unknown(message: story_pb2.EpisodeBeats) -> None:
    message.episode_id = "nobody"


def _foreign(message: story_pb2.EpisodeBeats) -> None:
    message.episode_id = "e1"


def _film(message: story_pb2.EpisodeBeats) -> None:
    message.episode_id = "t01"


def _twice(message: story_pb2.EpisodeBeats) -> None:
    message.episode_id = "saga-1-1"


def _nobody(message: story_pb2.EpisodeBeats) -> None:
    message.beats[3].relations[0].kind = ""


def _outside(message: story_pb2.EpisodeBeats) -> None:
    message.beats[3].thumbnail_ms = message.beats[3].end_ms


def _important(message: story_pb2.EpisodeBeats) -> None:
    message.beats[3].importance = float("nan")


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (_longer, "episodes[1].beats[7].end_ms"),
        (_overlapping, "episodes[1].beats[2].start_ms"),
        (_unknown, "episodes[1].episode_id"),
        (_foreign, "episodes[1].episode_id"),
        (_film, "episodes[1].episode_id"),
        (_twice, "episodes[1].episode_id"),
        (_nobody, "episodes[1].beats[3].relations[0].kind"),
        (_outside, "episodes[1].beats[3].thumbnail_ms"),
        (_important, "episodes[1].beats[3].importance"),
    ],
)
async def test_what_does_not_fit_is_named_and_nothing_of_the_call_is_taken(
    tmp_path: Path, spoil: Any, field: str
) -> None:
    async with told_suite(tmp_path) as story:
        good, bad = episode_message(ALL_BEATS[0]), episode_message(ALL_BEATS[1])
        good.beats[0].text = "Not to be taken."
        spoil(bad)
        with pytest.raises(InvalidField) as caught:
            await story.upsert(good, bad)
        assert caught.value.field == field
        assert (await story.upsert(episode_message(ALL_BEATS[0]))).changed_episode_count == 0


async def test_a_series_that_nobody_knows_is_told_so(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        with pytest.raises(InvalidField) as caught:
            await story.upsert(episode_message(ALL_BEATS[0]), series_id="t01")
        assert caught.value.field == "series_id"
        for series_id in ("nobody", "t01", "saga-1-1"):
            request = story_pb2.GetStoryRecapRequest(profile_id="p", series_id=series_id)
            with pytest.raises(NotFound):
                await story.ask("GetStoryRecap", request)


async def test_a_page_token_that_nobody_gave_out_is_refused(tmp_path: Path) -> None:
    async with told_suite(tmp_path) as story:
        for token in ("x", "W10=", "WzEsMSwxLDFd"):
            request = story_pb2.ListBeatsRequest(series_id=SERIES_ID, page_token=token)
            with pytest.raises(InvalidField) as caught:
                await story.ask("ListBeats", request)
            assert caught.value.field == "page_token"
