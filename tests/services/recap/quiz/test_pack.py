import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from libs.domain.title import Title, TitleKind
from libs.domain.viewing import UNKNOWN_CONTEXT
from libs.faults import InvalidField, NotFound
from libs.simulation.config import SimulationConfig
from libs.simulation.world import build_world
from libs.storage.recap.database import Database, open_file
from services.recap.quiz.belief import Belief
from services.recap.quiz.pack import PackRejected, parse
from services.recap.quiz.pack_shelf import PackShelf, shelf, texts
from services.recap.quiz.pool import Pool
from services.recap.quiz.quiz_step import Said, Step
from services.recap.quiz.title_traits import TitleTraits
from tests.made_packs import HATS
from tests.made_quizzes import made_quizzes, material_of

NOW_MS = 1_760_000_000_000

PACK = HATS.replace('genres = ["Drama"]', 'tags = ["mood:dark"]')
TITLES = [
    Title("d1", TitleKind.MOVIE, "Dark one", genres=("Drama",), tags=("mood:dark",)),
    Title("d2", TitleKind.MOVIE, "Dark two", genres=("Crime",), tags=("mood:dark",)),
    Title("c1", TitleKind.MOVIE, "Comic one", genres=("Comedy",)),
    Title("c2", TitleKind.MOVIE, "Comic two", genres=("Comedy",)),
    Title("x", TitleKind.MOVIE, "Neither", genres=("Drama",)),
]


def test_a_pack_says_which_language_it_is_in() -> None:
    assert parse(PACK, "hats.toml").language == "en"
    name = 'name = "Which hat are you?"\n'
    assert parse(PACK.replace(name, name + 'language = "ar-EG"\n'), "hats.toml").language == "ar-EG"
    for wrong in ('""', '"Arabic!"', "7", '"a"'):
        with pytest.raises(PackRejected, match=r"hats.toml:1: language: must be a BCP 47 tag"):
            parse(PACK.replace(name, f"{name}language = {wrong}\n"), "hats.toml")


def test_a_pack_that_fits_is_played_and_its_outcome_is_what_was_answered() -> None:
    pack = parse(PACK, "hats.toml")
    pack.check(TITLES)
    pool = Pool.of(TitleTraits.of(TITLES), [title.title_id for title in TITLES], np.zeros(5))
    [question] = pack.ask(pool)
    assert question.fits.tolist() == [
        [True, True, False, False, False],
        [False, False, True, True, False],
    ]
    sure = np.array([0.0, 0.0, -9.0, -9.0, -9.0])
    assert pack.outcome(pool, Belief(sure)).outcome_id == "fedora"
    assert pack.outcome(pool, Belief(sure[::-1])).outcome_id == "cap"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (
            'tags = ["mood:dark"]\n\n[[questions',
            'tags = ["mood:fog"]\n\n[[questions',
            "8: questions[0].options[0].tags: no title carries 'mood:fog'",
        ),
        (
            'genres = ["Comedy"]\n\n[[out',
            'genres = ["Comédie"]\n\n[[out',
            "14: questions[0].options[1].genres: no title carries 'Comédie'",
        ),
        (
            'genres = ["Comedy"]\n\n[[out',
            'tags = ["mood:dark"]\n\n[[out',
            "4: questions[0]: has no effect",
        ),
        ('name = "Cap"', "", "26: outcomes[1].name: must be a text"),
        ('name = "Cap"', "name = 7", "26: outcomes[1].name: must be a text"),
        (
            'option_id = "no"',
            'option_id = "yes"',
            "14: questions[0].options[1]: 'yes' is there twice",
        ),
        (
            'option_id = "no"',
            'option_id = "skip"',
            "14: questions[0].options[1].option_id: 'skip' fits",
        ),
        (
            'reason = "it rains"\ntags = ["mood:dark"]',
            'reason = "r"',
            "8: questions[0].options[0].tags: must name",
        ),
        (
            'tags = ["mood:dark"]\n\n[[questions',
            "tags = [1]\n\n[[questions",
            "8: questions[0].options[0].tags: must be a list",
        ),
        (
            'question_id = "weather"',
            'question_id = ""',
            "4: questions[0].question_id: must not be empty",
        ),
        ('pack_id = "hats"', "", "1: pack_id: must not be empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_in_the_file(old: str, new: str, place: str) -> None:
    assert old in PACK
    with pytest.raises(PackRejected, match=re.escape(f"hats.toml:{place}")):
        parse(PACK.replace(old, new, 1), "hats.toml").check(TITLES)


def test_a_tag_that_only_episodes_carry_is_missing() -> None:
    episode = Title("e", TitleKind.EPISODE, "One", parent_id="d1", tags=("mood:fog",))
    with pytest.raises(PackRejected, match="no title carries 'mood:fog'"):
        parse(PACK.replace("mood:dark", "mood:fog", 1), "hats.toml").check([*TITLES, episode])


def test_what_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(PackRejected, match=r"hats\.toml: .*line 2"):
        parse('pack_id = "hats"\nname = \n', "hats.toml")


@pytest.mark.parametrize("text", ["", "questions = 1", 'questions = ["a"]', "[questions]"])
def test_a_file_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(PackRejected):
        parse(text, "x.toml")


@pytest.mark.parametrize("value", ["9" * 5_000, "[" * 5_000, "{a=" * 5_000])
def test_what_no_parser_can_take_is_refused(value: str) -> None:
    with pytest.raises(PackRejected, match=r"hats\.toml: "):
        parse(f"a = {value}", "hats.toml")


def test_a_file_that_cannot_be_read_is_told_and_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "hats.toml").write_text(PACK)
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nothing")
    found = shelf(texts(tmp_path)).over(TITLES)
    assert found.pack("hats").name == "Which hat are you?"
    for pack_id in ("folder", "gone"):
        with pytest.raises(InvalidField, match=rf"{pack_id}\.toml: cannot be read"):
            found.pack(pack_id)


def test_the_packs_of_reprise_fit_the_simulated_catalogue(tmp_path: Path) -> None:
    titles = build_world(SimulationConfig(until_ms=NOW_MS, title_count=400)).titles
    found = shelf(texts(tmp_path)).over(titles)
    assert set(found.packs) == {"detective", "sofa"}
    assert found.problems == {}


def test_a_folder_adds_packs_and_a_bad_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "hats.toml").write_text(PACK)
    (tmp_path / "bad.toml").write_text("name = 1")
    found = shelf(texts(tmp_path)).over(TITLES)
    assert found.pack("hats").name == "Which hat are you?"
    with pytest.raises(InvalidField, match=r"bad\.toml:1: "):
        found.pack("bad")
    with pytest.raises(InvalidField, match=r"detective\.toml:\d+: .*no title carries"):
        found.pack("detective")
    with pytest.raises(NotFound):
        found.pack("nothing")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_file(tmp_path / "recap.sqlite")) as opened:
        yield opened


@pytest.mark.parametrize(("option_id", "outcome_id"), [("yes", "fedora"), ("no", "cap")])
async def test_a_pack_is_played_by_the_same_engine(
    database: Database, option_id: str, outcome_id: str
) -> None:
    packs = PackShelf({"hats": parse(PACK, "hats.toml")}, {})
    quizzes, ranking, _ = made_quizzes(
        database, lambda: NOW_MS, material=material_of(TITLES, shelf=packs)
    )
    step = await quizzes.start("default", "z", "p", "hats", UNKNOWN_CONTEXT, lambda: 9.0)
    assert step.question is not None
    assert (step.question.kind, step.question.question_id) == ("pack", "weather")
    said = Said("z", "p", step.token, "weather", option_id)
    ended: Step = await quizzes.answer("default", said, lambda: 9.0)
    assert ended.result is not None
    assert ended.result.outcome is not None
    assert ended.result.outcome.outcome_id == outcome_id
    best = ended.result.slate.titles[0]
    assert best.reasons == ("it rains" if option_id == "yes" else "it is dry",)
    assert ranking.live_count == 1
    with pytest.raises(InvalidField) as caught:
        await quizzes.start("default", "z", "p", "", UNKNOWN_CONTEXT, lambda: 9.0)
    assert caught.value.field == "pack_id"


async def test_a_pack_asks_all_of_its_questions(database: Database) -> None:
    start, end = PACK.index("[[questions]]"), PACK.index("[[outcomes]]")
    more = [PACK[start:end].replace('"weather"', f'"{name}"') for name in ("wind", "snow")]
    packs = PackShelf({"hats": parse(PACK[:end] + "".join(more) + PACK[end:], "hats.toml")}, {})
    quizzes, _, _ = made_quizzes(
        database, lambda: NOW_MS, material=material_of(TITLES, shelf=packs)
    )
    step = await quizzes.start("default", "z", "p", "hats", UNKNOWN_CONTEXT, lambda: 9.0)
    asked = []
    while step.question is not None:
        asked.append(step.question.question_id)
        said = Said("z", "p", step.token, asked[-1], "yes")
        step = await quizzes.answer("default", said, lambda: 9.0)
    assert asked == ["weather", "wind", "snow"], "though two answers are enough to be sure of five"
