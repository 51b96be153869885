"""Rankings beside the questions of a quiz, over real servers."""

from pathlib import Path

import pytest

from libs.faults import InvalidField
from reprise.recap.v1 import quiz_pb2
from tests.made_suite import fill, served
from tests.services.recap.quiz.quiz_calls import Player, first_option


async def test_stop_rules_switched_off_ask_as_much_as_was_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        usual, longer = Player(suite, "one"), Player(suite, "two")
        short = await usual.play()
        await longer.start(max_answers=9, without_stop_rules=True)
        count = 0
        while not longer.step.HasField("result"):
            await longer.answer(first_option(longer.step.question))
            count += 1
    assert count == 9
    assert longer.step.result.stopped_by == quiz_pb2.STOP_REASON_ENOUGH
    assert short.stopped_by != quiz_pb2.STOP_REASON_UNSPECIFIED


async def test_nothing_is_asked_of_another_kind_than_was_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        asked = []
        for quiz_id, wanted in (("any", []), ("pairs", ["pair"])):
            player = Player(suite, quiz_id)
            await player.start(max_answers=20, without_stop_rules=True, kinds=wanted)
            kinds = set()
            while not player.step.HasField("result"):
                kinds.add(player.step.question.kind)
                await player.answer(first_option(player.step.question))
            asked.append(kinds)
    assert asked[0] > {"pair"}
    assert asked[1] == {"pair"}


async def test_a_quiz_goes_on_with_the_length_that_it_began_with(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        first, second = Player(suite, profile_id="p"), Player(suite, profile_id="p")
        await first.start(max_answers=1)
        await second.start(max_answers=9, without_stop_rules=True)
        await second.answer(first_option(second.step.question))
    assert second.step.HasField("result")


async def test_a_ranking_moves_with_each_answer_and_ends_as_the_result(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite)
        await player.start(ranking_limit=30, max_answers=3, without_stop_rules=True)
        rankings = [player.step.ranking]
        while not player.step.HasField("result"):
            await player.answer(first_option(player.step.question), ranking_limit=30)
            rankings.append(player.step.ranking)
        shown = [one.title_id for one in player.step.result.titles]
    assert len(rankings) == 4
    for ranking in rankings:
        assert len(set(ranking.title_ids)) == len(ranking.title_ids) == 30
        assert list(ranking.probabilities) == sorted(ranking.probabilities, reverse=True)
        assert not ranking.degraded
    assert len({tuple(ranking.title_ids) for ranking in rankings}) > 1
    assert list(rankings[-1].title_ids)[: len(shown)] == shown


async def test_nobody_gets_a_ranking_that_was_not_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite)
        await player.start()
        assert not player.step.HasField("ranking")
        await player.answer(first_option(player.step.question))
        assert not player.step.HasField("ranking")


async def test_too_long_a_ranking_or_quiz_is_named_and_takes_no_answer(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        player = Player(suite, profile_id="p")
        with pytest.raises(InvalidField, match="ranking_limit"):
            await player.start(ranking_limit=501)
        with pytest.raises(InvalidField, match="max_answers"):
            await player.start(max_answers=21)
        begun = await player.start()
        with pytest.raises(InvalidField, match="ranking_limit"):
            await player.answer(first_option(player.step.question), ranking_limit=501)
        again = await Player(suite, profile_id="p").start()
    assert again.state == begun.state
