"""Quizzes of one replica, where catalogue, packs and owners change under them."""

import dataclasses
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from libs.domain.decision import Purpose
from libs.domain.event import QuizAnswer
from libs.domain.viewing import UNKNOWN_CONTEXT
from libs.faults import InvalidField
from libs.storage.recap.database import Database, open_file
from services.recap.quiz.materials import Material
from services.recap.quiz.pack import parse
from services.recap.quiz.pack_shelf import PackShelf
from services.recap.quiz.quiz_state import LASTS_MS
from services.recap.quiz.quiz_step import Said, Step
from services.recap.quiz.quizzes import Quizzes
from tests.made_bundle import catalogue
from tests.made_packs import HATS
from tests.made_quizzes import made_quizzes, material_of
from tests.made_recap import waiting
from tests.random_quizzes import Clock

PACK = HATS


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_file(tmp_path / "recap.sqlite")) as opened:
        yield opened


async def start(quizzes: Quizzes, profile_id: str, pack_id: str = "") -> Step:
    return await quizzes.start("default", "z", profile_id, pack_id, UNKNOWN_CONTEXT, lambda: 9.0)


async def answer(
    quizzes: Quizzes, step: Step, profile_id: str = "p", option_id: str | None = None
) -> Step:
    """Answer what the step asks, with its first option unless another one is given."""
    assert step.question is not None
    chosen = step.question.options[0].option_id if option_id is None else option_id
    said = Said("z", profile_id, step.token, step.question.question_id, chosen)
    return await quizzes.answer("default", said, lambda: 9.0)


async def test_a_quiz_that_begins_anew_under_its_old_id_records_its_answers_anew(
    database: Database,
) -> None:
    clock = Clock()
    quizzes, _, _ = made_quizzes(database, clock)
    for _ in range(2):
        step = await start(quizzes, "p")
        assert step.question is not None
        await answer(quizzes, step)
        clock.now_ms += LASTS_MS
    first, second = (one.event for one in waiting(database))
    assert isinstance(first.detail, QuizAnswer)
    assert first.detail == second.detail, "the same was asked and answered"
    assert first.event_id != second.event_id, "the log takes each id once"


async def test_a_quiz_of_nobody_does_not_take_the_place_of_a_profiles_own(
    database: Database,
) -> None:
    clock = Clock()
    quizzes, _, _ = made_quizzes(database, clock)
    clock.now_ms += 1
    nobodys = await start(quizzes, "")
    clock.now_ms += 1
    own = await start(quizzes, "p")
    for _ in range(2):
        with pytest.raises(InvalidField) as caught:
            await answer(quizzes, nobodys)
        assert caught.value.field == "state"
        assert (await start(quizzes, "p")).token == own.token
        own = await answer(quizzes, own)


# There is nothing else to ask of it.
GENRES_ALONE = material_of(list(catalogue().values()))


def without_genres(material: Material) -> Material:
    """The same catalogue, which no longer makes the questions that were asked."""
    bare = [dataclasses.replace(title, genres=()) for title in material.traits.titles]
    return dataclasses.replace(material_of(bare), catalogue_version=material.catalogue_version + 1)


@pytest.mark.parametrize("profile_id", ["p", ""])
async def test_what_is_said_to_a_question_that_the_catalogue_has_lost_moves_nothing(
    database: Database, profile_id: str
) -> None:
    quizzes, _, held = made_quizzes(database, Clock(), material=GENRES_ALONE)
    step = await start(quizzes, profile_id)
    whole = held.current
    held.current = without_genres(whole)
    for wrong in ("", "x" * 500, "o\n0"):
        with pytest.raises(InvalidField) as caught:
            await answer(quizzes, step, profile_id, wrong)
        assert caught.value.field == "option_id"
    step = await answer(quizzes, step, profile_id, "o99")
    held.current = whole
    while step.question is not None:
        step = await answer(quizzes, step, profile_id, "dont_care")
    assert step.result is not None
    assert [title.reasons for title in step.result.slate.titles] == [()] * 20
    assert any("changed" in one for one in step.result.slate.relaxed)


async def test_who_did_not_care_about_a_question_loses_nothing_with_it(database: Database) -> None:
    quizzes, _, held = made_quizzes(database, Clock(), material=GENRES_ALONE)
    step = await start(quizzes, "p")
    held.current = without_genres(held.current)
    while step.question is not None:
        step = await answer(quizzes, step, "p", "dont_care")
    assert step.result is not None
    assert step.result.slate.relaxed == ()


async def test_a_pack_that_was_written_anew_is_played_anew(database: Database) -> None:
    quizzes, _, held = made_quizzes(database, Clock())
    whole = held.current
    for text in ("Rain?", "Is it raining?"):
        pack = parse(PACK.replace("Rain?", text), "hats.toml")
        held.current = dataclasses.replace(whole, shelf=PackShelf({"hats": pack}, {}))
        step = await start(quizzes, "", "hats")
        assert step.question is not None
        assert step.question.text == text


@pytest.mark.parametrize("option_id", ["dont_care", "skip"])
async def test_a_pack_says_nothing_of_who_has_said_nothing(
    database: Database, option_id: str
) -> None:
    quizzes, _, held = made_quizzes(database, Clock())
    packs = PackShelf({"hats": parse(PACK, "hats.toml")}, {})
    held.current = dataclasses.replace(held.current, shelf=packs)
    step = await answer(quizzes, await start(quizzes, "p", "hats"), "p", option_id)
    assert step.result is not None
    assert step.result.outcome is None
    assert step.result.slate.titles


async def test_a_quiz_of_which_the_catalogue_has_lost_every_question_is_to_be_begun_anew(
    database: Database,
) -> None:
    quizzes, _, held = made_quizzes(database, Clock())
    step = await start(quizzes, "p")
    whole = held.current
    held.current = dataclasses.replace(material_of(()), catalogue_version=2)
    with pytest.raises(InvalidField) as caught:
        await start(quizzes, "p")
    assert (caught.value.field, caught.value.problem) == (
        "quiz_id",
        "the catalogue has changed; start another quiz",
    )
    held.current = whole
    assert (await start(quizzes, "p")).token == step.token


async def test_the_page_is_asked_for_with_the_likeliest_titles_as_evidence(
    database: Database,
) -> None:
    quizzes, ranking, _ = made_quizzes(database, Clock())
    step = await start(quizzes, "")
    while step.question is not None:
        step = await answer(quizzes, step, "")
    preview, live = ranking.queries
    assert (preview.purpose, preview.seeds) == (Purpose.PREVIEW, ())
    assert live.purpose is Purpose.LIVE
    belief, pool = step.explanation.position.belief, step.explanation.position.board.pool
    best = np.argsort(-belief.probabilities, kind="stable")[:10]
    assert [title_id for title_id, _ in live.seeds] == [pool.title_ids[row] for row in best]
    np.testing.assert_allclose(
        [weight for _, weight in live.seeds],
        belief.probabilities[best] / belief.probabilities.max(),
    )


async def test_who_has_said_nothing_brings_no_evidence(database: Database) -> None:
    quizzes, ranking, _ = made_quizzes(database, Clock())
    step = await start(quizzes, "")
    while step.question is not None:
        step = await answer(quizzes, step, "", "dont_care")
    assert [query.seeds for query in ranking.queries] == [(), ()]


async def test_an_answer_does_not_become_another_one_with_the_catalogue(database: Database) -> None:
    quizzes, _, held = made_quizzes(database, Clock(), material=GENRES_ALONE)
    step = await start(quizzes, "p")
    assert step.question is not None
    assert [option.text for option in step.question.options] == ["Comedy", "Drama"]
    renamed = [
        dataclasses.replace(title, genres=tuple(one.replace("Comedy", "Action") for one in genres))
        for title in held.current.traits.titles
        for genres in (title.genres,)
    ]
    held.current = dataclasses.replace(material_of(renamed), catalogue_version=2)
    step = await answer(quizzes, step)
    while step.question is not None:
        step = await answer(quizzes, step, "p", "dont_care")
    assert step.result is not None
    assert step.result.slate.relaxed == ("genre: the catalogue has changed since",)
    assert {title.reasons for title in step.result.slate.titles} == {()}


@pytest.mark.parametrize("pack_id", ["x" * 65_536, "a\nb"])
async def test_what_cannot_be_the_id_of_a_pack_is_not_looked_for(
    database: Database, pack_id: str
) -> None:
    quizzes, _, _ = made_quizzes(database, Clock())
    with pytest.raises(InvalidField) as caught:
        await start(quizzes, "p", pack_id)
    assert caught.value.field == "pack_id"
