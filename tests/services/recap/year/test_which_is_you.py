"""GetRecap of profiles that several people share, over the whole suite in this process."""

import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from libs.domain.consent import Consent
from libs.domain.event import DAY_MS, Event
from libs.domain.profile import Profile
from libs.domain.title import Title, TitleKind
from libs.domain.viewing import Device, ViewingContext
from libs.serving.channels import call
from libs.serving.decoding import timestamp
from libs.serving.profile_codec import profile_message
from libs.storage.catalogue_store import SqliteCatalogueStore
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import recap_pb2, recap_pb2_grpc, share_pb2, share_pb2_grpc
from services.candidates.settings import CandidatesSettings
from services.events.events_codec import event_message
from tests.made_bundle import NOW_MS
from tests.made_recaps import play
from tests.made_suite import Served, fill, served

LIFETIME = recap_pb2.Period(lifetime=True)
HOUR_MS = 3_600_000
SESSIONS = 60
TITLES = 8


def _family(profile_id: str) -> list[Event]:
    """Cartoons on the tablet in the afternoon, and crime on the TV in the evening."""
    midnight_ms = NOW_MS // DAY_MS * DAY_MS
    found = []
    for day in range(1, SESSIONS + 1):
        for hour, device, name in ((15, Device.TABLET, "cartoon"), (20, Device.TV, "crime")):
            events = play(
                f"{profile_id}-{name}-{day}",
                midnight_ms - day * DAY_MS + hour * HOUR_MS,
                f"{name}{day % TITLES}",
                40,
                profile_id=profile_id,
            )
            found += [
                dataclasses.replace(
                    event,
                    recording=None,
                    session_id=f"{name}-{day}",
                    context=ViewingContext(device=device),
                )
                for event in events
            ]
    return found


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[Served]:
    """Of the profile "p" that a child and an adult share, and of "k", made for a child."""
    fill(tmp_path, "default", "t")
    store = SqliteCatalogueStore(CandidatesSettings(home=tmp_path).catalogue_path)
    store.upsert(
        "default",
        [
            Title(
                f"{name}{place}",
                TitleKind.MOVIE,
                f"{name} {place}",
                genres=(name,),
                maturity_years=years,
                duration_ms=7_200_000,
            )
            for name, years in (("cartoon", 6), ("crime", 16))
            for place in range(TITLES)
        ],
    )
    store.close()
    async with served(tmp_path) as suite:
        events = events_pb2_grpc.EventsServiceStub(suite.events)
        for profile in (
            Profile("p", given_consents=frozenset({Consent.SHARING})),
            Profile("k", kids=True),
        ):
            await call(
                "events",
                events.UpsertProfiles,
                events_pb2.UpsertProfilesRequest(profiles=[profile_message(profile)]),
                timeout_s=10,
            )
            await call(
                "events",
                events.RecordEvents,
                events_pb2.RecordEventsRequest(
                    events=[event_message(event) for event in _family(profile.profile_id)]
                ),
                timeout_s=10,
            )
        yield suite


async def _recap(
    suite: Served, profile_id: str = "p", **fields: object
) -> recap_pb2.GetRecapResponse:
    request = recap_pb2.GetRecapRequest(profile_id=profile_id, period=LIFETIME, **fields)  # type: ignore[arg-type]
    stub = recap_pb2_grpc.RecapServiceStub(suite.recap)
    answer: recap_pb2.GetRecapResponse = await stub.GetRecap(request, timeout=20)
    return answer


async def test_it_asks_which_is_you_and_tells_of_that_person_alone(suite: Served) -> None:
    asked = await _recap(suite, next_limit=3)
    assert asked.level == recap_pb2.RECAP_LEVEL_FULL
    assert not asked.cards
    assert not asked.next_title_ids
    assert [(one.person_id, one.is_kids, one.description) for one in asked.people] == [
        ("adult-1", False, "evenings, on the TV, mostly crime"),
        ("kids", True, "children's titles, afternoons, on the tablet, mostly cartoon"),
    ]
    assert [one.share_ratio for one in asked.people] == [0.5, 0.5]
    for person_id, own, other in (("adult-1", "crime", "cartoon"), ("kids", "cartoon", "crime")):
        told = await _recap(suite, person_id=person_id, next_limit=3)
        assert not told.people
        assert other not in str([(card.headline, card.text) for card in told.cards])
        ids = {title_id for card in told.cards for title_id in card.title_ids}
        assert ids
        assert ids <= {f"{own}{place}" for place in range(TITLES)}
        numbers = {fact.fact_id: fact.number for card in told.cards for fact in card.facts}
        assert numbers["minutes.total"] == 40 * SESSIONS
        facts = [fact for card in told.cards for fact in card.facts]
        assert all(f"'{person_id}'" in fact.query for fact in facts)
        assert bool(told.next_title_ids) == (person_id != "kids")


async def test_the_question_is_asked_in_the_language_wanted(suite: Served) -> None:
    english, arabic, thai = [
        [one.description for one in (await _recap(suite, language=language)).people]
        for language in ("en", "ar", "th-TH")
    ]
    assert len({*english, *arabic, *thai}) == 6


@pytest.mark.parametrize("person_id", ["adult-2", "p", "kids' or 1=1"])
async def test_who_is_not_there_is_refused(suite: Served, person_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _recap(suite, person_id=person_id)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith("person_id: is nobody's")


async def test_a_profile_for_a_child_is_not_asked(suite: Served) -> None:
    answer = await _recap(suite, "k")
    assert answer.cards
    assert not answer.people
    with pytest.raises(grpc.aio.AioRpcError, match="person_id"):
        await _recap(suite, "k", person_id="kids")


async def test_rows_of_people_are_served_and_erased_like_others(suite: Served) -> None:
    stub = recap_pb2_grpc.RecapServiceStub(suite.recap)

    def row(person_id: str, minutes: int) -> recap_pb2.RecapRow:
        stories = {
            "minutes": {"minutes.total": minutes, "minutes.days": 1, "minutes.plays": 1},
            "about": {"about.daypart": "night", "about.device": "", "about.genre": ""},
        }
        return recap_pb2.RecapRow(
            profile_id="p", person_id=person_id, stories_json=json.dumps(stories)
        )

    message = recap_pb2.RecordRecapsRequest(
        run_id="r1",
        period="lifetime",
        cutoff_time=timestamp(NOW_MS),
        rows=[row("adult-1", 30), row("adult-2", 10)],
        is_last=True,
    )
    assert [one.recorded_count async for one in stub.RecordRecaps(iter([message]))] == [2]
    asked = await _recap(suite)
    assert asked.is_precomputed
    assert [(one.description, one.share_ratio) for one in asked.people] == [
        ("nights", 0.75),
        ("nights", 0.25),
    ]
    told = await _recap(suite, person_id="adult-2")
    assert told.is_precomputed
    assert {fact.number for fact in told.cards[0].facts if fact.fact_id == "minutes.total"} == {10}
    events = events_pb2_grpc.EventsServiceStub(suite.events)
    exported = "".join(
        [
            part.json_lines
            async for part in events.ExportProfile(
                events_pb2.ExportProfileRequest(profile_id="p"), timeout=10
            )
        ]
    )
    assert "adult-1" in exported
    assert "adult-2" in exported
    await events.EraseProfile(events_pb2.EraseProfileRequest(profile_id="p"), timeout=20)
    answer = await _recap(suite)
    assert answer.problem == recap_pb2.NO_RECAP_REASON_UNKNOWN_PROFILE
    assert not answer.people


async def test_cards_of_an_adult_can_be_shared_and_a_childs_cannot(suite: Served) -> None:
    stub = share_pb2_grpc.ShareServiceStub(suite.recap)

    async def previewed(person_id: str) -> list[str]:
        answer = await stub.PreviewShare(
            share_pb2.PreviewShareRequest(
                profile_id="p", period=LIFETIME, person_id=person_id, card_ids=["titles"]
            ),
            timeout=20,
        )
        return [card.card_id for card in answer.cards]

    assert await previewed("adult-1") == ["titles"]
    assert await previewed("kids") == []
    assert await previewed("") == []
