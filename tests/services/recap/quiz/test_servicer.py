"""Quizzes over real servers: played, resumed, repeated, erased and upset."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from libs.artifacts.bundle import publish, tenant_root
from libs.domain.decision import Purpose
from libs.faults import InvalidField, NotFound
from libs.features.profile_state import ProfileState
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.models.ranker import RANKER_PART
from libs.models.retrieval_model import RETRIEVAL_PART
from libs.serving.profile_features_client import profile_features
from libs.serving.title_codec import title_message
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import quiz_pb2
from services.recap.ranking_client import RankingClient, SlateQuery
from tests.made_bundle import NOW_MS, catalogue, ranker, retrieval
from tests.made_suite import Served, fill, served
from tests.services.recap.quiz.quiz_calls import WITHIN_S, Player, first_option, history


async def exported(suite: Served, profile_id: str) -> list[dict[str, Any]]:
    request = events_pb2.ExportProfileRequest(profile_id=profile_id)
    stub = events_pb2_grpc.EventsServiceStub(suite.events)
    return [
        json.loads(line)
        async for part in stub.ExportProfile(request)
        for line in part.json_lines.splitlines()
    ]


async def decided(suite: Served, profile_id: str, page_id: str) -> dict[str, Any]:
    """What ranking has logged of a page, once it has."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            for line in await exported(suite, profile_id):
                if line["data"].get("page_id") == page_id:
                    return dict(line["data"])
            await asyncio.sleep(0.01)


async def profile_state(suite: Served, profile_id: str) -> ProfileState:
    stub = events_pb2_grpc.EventsServiceStub(suite.events)
    request = events_pb2.GetProfileFeaturesRequest(profile_id=profile_id)
    _, state = profile_features(await stub.GetProfileFeatures(request, timeout=WITHIN_S))
    return state


async def test_a_quiz_ends_with_titles_of_one_page_and_why_each_fits(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite, profile_id="p")
        first = await player.start(explain=True)
        assert 2 <= len(first.question.options) <= 5
        assert not first.HasField("result")
        assert first.belief.entropy_bits > 0
        assert len(first.belief.top_title_ids) == 10
        assert first.belief.considered[0].text == first.question.text
        result = await player.play()
        answers = await history(suite, "p", 1)
        page = await decided(suite, "p", result.page_id)
    assert result.titles
    assert len({one.title_id for one in result.titles}) == len(result.titles)
    assert any(one.reasons for one in result.titles)
    assert result.stopped_by != quiz_pb2.STOP_REASON_UNSPECIFIED
    assert not result.degraded
    assert {one.title_id for one in result.titles} <= set(page["title_ids"])
    kinds = {event.kind for event in answers}
    assert kinds == {events_pb2.EVENT_KIND_QUIZ_ANSWER}


async def test_each_answer_is_recorded_once_and_repeats_get_the_same_result(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite, profile_id="p")
        await player.start()
        sent: list[tuple[Any, Any]] = []
        while not player.step.HasField("result"):
            request = player.request("dont_care" if sent else first_option(player.step.question))
            sent.append((request, await player.answer(request.option_id)))
        for request, answer in sent:
            assert await player.send(request) == answer
        events = await history(suite, "p", len(sent))
        assert len(await history(suite, "p", 0)) == len(sent)
    assert sorted(event.quiz_answer.question_id for event in events) == sorted(
        request.question_id for request, _ in sent
    )
    assert {event.quiz_answer.quiz_id for event in events} == {"z"}


async def test_what_the_answers_come_to_speaks_in_the_pages_that_follow(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        ranking = RankingClient(suite.ranking)
        query = SlateQuery(Purpose.PREVIEW, 100, "p", is_diverse=False)

        async def page() -> tuple[str, ...]:
            return (await ranking.recommend("default", query, timeout_s=9)).title_ids

        before = await page()
        player = Player(suite, profile_id="p")
        await player.start()
        await player.answer(first_option(player.step.question), explain=True)
        likeliest = list(player.step.belief.top_title_ids)
        (event,) = await history(suite, "p", 1)
        features = await profile_state(suite, "p")
        after = await page()
    wishes = event.quiz_answer.wishes
    assert [one.title_id for one in wishes] == likeliest
    assert wishes[0].weight == 1
    assert [one.title_id for one in features.wishes.wishes] == likeliest
    assert after != before


async def test_another_device_goes_on_where_the_first_one_was(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        first, second = (Player(suite, profile_id="p") for _ in range(2))
        await first.start()
        await first.answer(first.step.question.options[0].option_id)
        begun = await second.start()
        assert begun.question == first.step.question
        assert begun.state == first.step.state
        result = await second.play()
        resumed = await first.start()
    assert resumed.result == result
    assert not resumed.HasField("question")


async def test_somebody_anonymous_leaves_nothing_until_a_profile_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite)
        await player.start()
        nobody = await Player(suite).play()
        await player.answer(first_option(player.step.question))
        assert await exported(suite, "p") == []
        player.profile_id = "p"
        while not player.step.HasField("result"):
            await player.answer(first_option(player.step.question))
        events = await history(suite, "p", 2)
        rows = {line["kind"] for line in await exported(suite, "p")}
    assert nobody.page_id == ""
    assert nobody.titles
    assert player.step.result.page_id
    assert len(events) >= 2, "also what was answered before it was named"
    assert {"quiz", "event"} <= rows


async def test_a_profile_erased_in_the_middle_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite, profile_id="p")
        await player.start()
        await player.answer(first_option(player.step.question))
        stub = events_pb2_grpc.EventsServiceStub(suite.events)
        receipt = await stub.EraseProfile(events_pb2.EraseProfileRequest(profile_id="p"))
        assert receipt.is_complete
        with pytest.raises(NotFound) as caught:
            await player.answer(first_option(player.step.question))
        with pytest.raises(NotFound):
            await player.start()
        assert await exported(suite, "p") == []
    assert caught.value.metadata["kind"] == "profile"


async def test_a_bundle_swapped_in_the_middle_changes_no_question(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player, other = Player(suite, profile_id="p"), Player(suite, profile_id="q")
        await player.start()
        await other.start()
        asked = player.step.question
        version = publish(
            tenant_root(tmp_path / "bundles", "default"),
            {RETRIEVAL_PART: retrieval(seed=1).write, RANKER_PART: ranker(seed=1).write},
            now_ms=NOW_MS + 1,
            trained_until_ms=NOW_MS,
            feature_schema_version=FEATURE_SCHEMA_VERSION,
        )
        await swapped(suite, version)
        assert (await player.start()).question == asked
        result = await player.play()
    assert result.titles
    assert not any("changed" in one for one in result.relaxed)


async def swapped(suite: Served, version: str) -> None:
    """Wait until candidates has loaded a bundle; the others look as often."""
    stub = candidates_pb2_grpc.CandidatesServiceStub(suite.candidates)
    async with asyncio.timeout(WITHIN_S):
        while True:
            status = await stub.GetIndexStatus(candidates_pb2.GetIndexStatusRequest())
            if version in status.bundle_versions:
                return
            await asyncio.sleep(0.02)


async def left_with(suite: Served, count: int) -> None:
    """Delete all titles but `count`, and wait until ranking has heard of it."""
    stub = candidates_pb2_grpc.CandidatesServiceStub(suite.candidates)
    kept = {f"t{number:02d}" for number in range(count)}
    gone = sorted(set(catalogue()) - kept)
    await stub.DeleteTitles(candidates_pb2.DeleteTitlesRequest(title_ids=gone))
    async with asyncio.timeout(WITHIN_S):
        while True:
            result = await Player(suite, quiz_id=f"wait{count}").play()
            if len(result.titles) <= count:
                return
            await asyncio.sleep(0.02)


async def test_four_titles_and_one_are_still_an_answer(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        for count in (4, 1):
            await left_with(suite, count)
            result = await Player(suite, quiz_id=f"z{count}", profile_id="p").play()
            assert 1 <= len(result.titles) <= count


async def test_titles_that_are_all_the_same_are_asked_nothing_that_tells_nothing(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        stub = candidates_pb2_grpc.CandidatesServiceStub(suite.candidates)
        titles = [title_message(title) for title in catalogue().values()]
        for message in titles:
            del message.genres[:]
            message.duration_ms = 0
            message.ClearField("release_time")
        await stub.UpsertTitles(candidates_pb2.UpsertTitlesRequest(titles=titles))
        async with asyncio.timeout(WITHIN_S):
            while True:
                step = await Player(suite).start()
                if step.question.kind in ("", "familiarity", "pair"):
                    break
                await asyncio.sleep(0.02)
        result = await Player(suite, profile_id="p").play()
    assert result.titles


async def test_who_does_not_care_gets_what_ranking_says(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite, profile_id="p")
        await player.start(explain=True)
        before = player.step.belief.entropy_bits
        result = await player.play(lambda question: "dont_care")
    assert [one.reasons for one in result.titles] == [[]] * len(result.titles)
    assert list(result.relaxed) == []
    shares = [one.probability_ratio for one in result.titles]
    assert shares == sorted(shares, reverse=True)
    assert before > 0


async def test_a_skip_ends_the_quiz_at_once(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite, profile_id="p")
        await player.start()
        step = await player.answer("skip")
    assert step.result.stopped_by == quiz_pb2.STOP_REASON_SKIPPED
    assert step.result.titles


async def test_what_is_wrong_with_an_answer_is_named_and_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite, profile_id="p")
        await player.start()
        stranger = Player(suite, profile_id="q", quiz_id="z")
        await stranger.start()
        good = player.request(first_option(player.step.question))
        tampered = bytearray(good.state)
        tampered[-1] ^= 1
        wrong: list[tuple[str, dict[str, Any]]] = [
            ("state", {"state": b""}),
            ("state", {"state": b"x" * 500}),
            ("state", {"state": bytes(tampered)}),
            ("profile_id", {"state": stranger.step.state}),
            ("profile_id", {"profile_id": ""}),
            ("profile_id", {"profile_id": "q"}),
            ("quiz_id", {"quiz_id": "y"}),
            ("question_id", {"question_id": ""}),
            ("question_id", {"question_id": "genre2"}),
            ("option_id", {"option_id": ""}),
            ("option_id", {"option_id": "o99"}),
        ]
        for field, change in wrong:
            with pytest.raises(InvalidField) as caught:
                await player.send(player.request(**{"option_id": good.option_id, **change}))
            assert caught.value.field == field, change
        again = await Player(suite, profile_id="p").start()
        assert again.question.question_id == good.question_id
        assert again.state == good.state
        await player.answer(good.option_id)
        twice = player.request(good.option_id, question_id=good.question_id)
        with pytest.raises(InvalidField) as caught:
            await player.send(twice)
        assert "already" in caught.value.problem
        changed = good
        changed.option_id = "dont_care"
        with pytest.raises(InvalidField) as caught:
            await player.send(changed)
        assert caught.value.field == "option_id"


async def test_an_unknown_pack_is_not_found(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        with pytest.raises(NotFound) as caught:
            await Player(suite, pack_id="nothing").start()
    assert caught.value.metadata == {"kind": "pack", "id": "nothing"} | {
        key: value for key, value in caught.value.metadata.items() if key == "trace_id"
    }
