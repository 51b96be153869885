import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest

from libs.domain.consent import Consent
from libs.domain.event import DAY_MS, Event
from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext
from libs.serving.channels import call
from libs.serving.decoding import timestamp
from libs.serving.profile_codec import profile_message
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import recap_pb2, recap_pb2_grpc
from services.events.events_codec import event_message
from tests.made_bundle import NOW_MS
from tests.made_recaps import play
from tests.made_suite import Served, fill, served

LIFETIME = recap_pb2.Period(lifetime=True)
HOUR_MS = 3_600_000


def _year_of(profile_id: str) -> list[Event]:
    """Eight days with a title each, in Berlin."""
    events = [
        event
        for day in range(1, 9)
        for event in play(
            f"{profile_id}-{day}", NOW_MS - day * DAY_MS, f"tt{day:02d}", 60 + day,
            profile_id=profile_id, time_zone="Europe/Berlin",
        )
    ]  # fmt: skip
    return [dataclasses.replace(event, recording=None) for event in events]


async def _record(suite: Served, events: Sequence[Event]) -> None:
    await call(
        "events",
        events_pb2_grpc.EventsServiceStub(suite.events).RecordEvents,
        events_pb2.RecordEventsRequest(events=[event_message(event) for event in events]),
        timeout_s=10,
    )


async def _upsert(suite: Served, profile: Profile) -> None:
    await call(
        "events",
        events_pb2_grpc.EventsServiceStub(suite.events).UpsertProfiles,
        events_pb2.UpsertProfilesRequest(profiles=[profile_message(profile)]),
        timeout_s=10,
    )


async def _recap(
    suite: Served, profile_id: str, period: recap_pb2.Period = LIFETIME, **fields: object
) -> recap_pb2.GetRecapResponse:
    request = recap_pb2.GetRecapRequest(profile_id=profile_id, period=period, **fields)  # type: ignore[arg-type]
    stub = recap_pb2_grpc.RecapServiceStub(suite.recap)
    answer: recap_pb2.GetRecapResponse = await stub.GetRecap(request, timeout=20)
    return answer


async def _send(
    suite: Served, *requests: recap_pb2.RecordRecapsRequest
) -> list[recap_pb2.RecordRecapsResponse]:
    stub = recap_pb2_grpc.RecapServiceStub(suite.recap)
    return [answer async for answer in stub.RecordRecaps(iter(requests), timeout=20)]


def _row(profile_id: str, minutes: int) -> recap_pb2.RecapRow:
    stories = {"minutes": {"minutes.total": minutes, "minutes.days": 1, "minutes.plays": 1}}
    return recap_pb2.RecapRow(profile_id=profile_id, stories_json=json.dumps(stories))


def _run(
    run_id: str, *rows: recap_pb2.RecapRow, is_last: bool = True
) -> recap_pb2.RecordRecapsRequest:
    return recap_pb2.RecordRecapsRequest(
        run_id=run_id, period="lifetime", cutoff_time=timestamp(NOW_MS), rows=rows, is_last=is_last
    )


async def test_a_recap_is_counted_on_demand_with_what_to_watch_next(tmp_path: Path) -> None:
    fill(tmp_path, "default", "t")
    async with served(tmp_path) as suite:
        await _record(suite, _year_of("p"))
        answer = await _recap(suite, "p", next_limit=3)
        numbers = {fact.fact_id: fact.number for card in answer.cards for fact in card.facts}
        assert answer.level == recap_pb2.RECAP_LEVEL_FULL
        assert numbers["minutes.total"] == sum(range(61, 69))
        assert len(answer.next_title_ids) == 3
        assert answer.next_page_id
        assert not answer.is_precomputed
        assert all(fact.query for card in answer.cards for fact in card.facts)
        arabic = await _recap(suite, "p", language="ar")
        assert arabic.cards[0].headline != answer.cards[0].headline


async def test_nothing_to_tell_has_its_reason(tmp_path: Path) -> None:
    fill(tmp_path, "default", "t")
    async with served(tmp_path) as suite:
        await _record(suite, _year_of("p"))
        await _upsert(suite, Profile("quiet"))
        await _upsert(suite, Profile("p", refused_consents=frozenset({Consent.RECAP})))
        reasons = [(await _recap(suite, name)).problem for name in ("nobody", "quiet", "p")]
    assert reasons == [
        recap_pb2.NO_RECAP_REASON_UNKNOWN_PROFILE,
        recap_pb2.NO_RECAP_REASON_NO_PLAYS,
        recap_pb2.NO_RECAP_REASON_NOT_PERSONALIZED,
    ]


@pytest.mark.parametrize(
    ("period", "field"),
    [
        (recap_pb2.Period(), "period"),
        (recap_pb2.Period(year=1969), "period.year"),
        (recap_pb2.Period(year=9999), "period"),
        (
            recap_pb2.Period(range=recap_pb2.DateRange(first_date="2024-02-30")),
            "period.range.first_date",
        ),
        (
            recap_pb2.Period(
                range=recap_pb2.DateRange(first_date="2024-02-02", last_date="2024-02-01")
            ),
            "period.range.last_date",
        ),
    ],
)  # fmt: skip
async def test_a_period_that_cannot_be_is_refused(
    tmp_path: Path, period: recap_pb2.Period, field: str
) -> None:
    fill(tmp_path, "default", "t")
    async with served(tmp_path) as suite:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _recap(suite, "p", period)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith(f"{field}:")


async def test_a_run_is_served_from_when_it_is_whole(tmp_path: Path) -> None:
    fill(tmp_path, "default", "t")
    async with served(tmp_path) as suite:
        first = await _send(suite, _run("r1", _row("a", 1), _row("b", 2), is_last=False))
        assert [one.recorded_count for one in first] == [2]
        early = await _recap(suite, "a")
        assert early.problem == recap_pb2.NO_RECAP_REASON_UNKNOWN_PROFILE
        await _send(suite, _run("r1", _row("a", 7)))
        told = await _recap(suite, "a")
        assert (told.run_id, told.is_precomputed) == ("r1", True)
        assert told.cards[0].facts[2].number == 7, "a recap sent again replaces itself"
        await _send(suite, _run("r2", _row("a", 9)))
        assert (await _recap(suite, "a")).run_id == "r2"
        assert not (await _recap(suite, "b")).is_precomputed, "the former run is forgotten"


async def test_a_run_of_other_values_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "default", "t")
    other = _run("r1", _row("a", 1))
    other.cutoff_time.CopyFrom(timestamp(NOW_MS + 1))
    wrong = _run("r3", recap_pb2.RecapRow(profile_id="a", stories_json='{"minutes": {"x": []}}'))
    async with served(tmp_path) as suite:
        await _send(suite, _run("r1", _row("a", 1)))
        for requests in (
            [other],
            [wrong],
            [_run("r4", is_last=False)],
            [_run("r5", _row("a", 1), is_last=False), _run("r6")],
            [_run("r7"), _run("r7", _row("a", 1))],
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await _send(suite, *requests)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_erased_profile_has_no_recap_and_gets_none(tmp_path: Path) -> None:
    fill(tmp_path, "default", "t")
    async with served(tmp_path) as suite:
        events = events_pb2_grpc.EventsServiceStub(suite.events)
        await _send(suite, _run("r1", _row("a", 1), _row("b", 2)))
        export = [
            part.json_lines
            async for part in events.ExportProfile(
                events_pb2.ExportProfileRequest(profile_id="a"), timeout=10
            )
        ]
        assert any('"service": "recap"' in line or "minutes.total" in line for line in export)
        await events.EraseProfile(events_pb2.EraseProfileRequest(profile_id="a"), timeout=20)
        assert (await _recap(suite, "a")).problem == recap_pb2.NO_RECAP_REASON_UNKNOWN_PROFILE
        again = await _send(suite, _run("r1", _row("a", 1), _row("b", 2)))
        assert [(one.recorded_count, one.dropped_count) for one in again] == [(1, 1)]
        assert (await _recap(suite, "b")).is_precomputed


async def test_a_move_across_zones_is_told_by_the_zone_of_each_event(tmp_path: Path) -> None:
    fill(tmp_path, "default", "t")
    # 23:30 in Berlin, then 30 minutes later 18:00 in New York: one day on both walls.
    begun_ms = NOW_MS // DAY_MS * DAY_MS - 2 * DAY_MS + 22 * HOUR_MS + HOUR_MS // 2
    moved = [
        dataclasses.replace(
            event, recording=None, context=ViewingContext(time_zone=zone)
        )
        for place, zone in enumerate(("Europe/Berlin", "America/New_York"))
        for event in play(f"e{place}", begun_ms + place * HOUR_MS, f"tt0{place + 1}", 10)
    ]  # fmt: skip
    async with served(tmp_path) as suite:
        await _record(suite, moved)
        answer = await _recap(suite, "p")
    days = {fact.fact_id: fact.number for fact in answer.cards[0].facts}["minutes.days"]
    assert answer.level == recap_pb2.RECAP_LEVEL_LITE
    assert days in (1, 2), answer
