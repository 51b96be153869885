"""The quiz from the command line, over real processes."""

from pathlib import Path

import pytest

from cli.suite import Suite
from tests.end_to_end.conftest import Home

pytestmark = pytest.mark.end_to_end


def test_a_quiz_is_played_and_tells_why_each_title_fits(trained_home: Home, suite: Suite) -> None:
    value = trained_home.json("quiz", "--answers", "1,1,1,1", "--explain")
    assert 1 <= len(value["questions"]) <= 4
    assert len(value["beliefs"]) == len(value["questions"]) + 1
    assert value["titles"]
    assert any(title["reasons"] for title in value["titles"])
    assert all(title["name"] for title in value["titles"])
    assert value["page_id"] == "", "nobody is named"
    assert value["degraded"] == []


def test_a_pack_says_who_the_viewer_is(trained_home: Home, suite: Suite) -> None:
    value = trained_home.json("quiz", "--pack", "detective", "--answers", "1,1,1,1")
    assert len(value["questions"]) == 4
    assert value["outcome"]["name"]


def test_what_a_pack_says_is_written_as_images(
    trained_home: Home, suite: Suite, tmp_path: Path
) -> None:
    pack = ("--profile", "newcomer", "--pack", "detective", "--answers", "1,1,1,1")
    trained_home.json("quiz", *pack, "--out", str(tmp_path / "share"))
    written = {path.name: path.read_bytes()[:4] for path in (tmp_path / "share").iterdir()}
    assert written == {
        f"{card}-{size}.{kind}": start
        for card in ("outcome", "tonight")
        for size in ("story", "link")
        for kind, start in (("svg", b"<svg"), ("png", b"\x89PNG"))
    }


def test_a_pack_that_does_not_fit_is_refused_with_its_line(
    trained_home: Home, suite: Suite, tmp_path: Path
) -> None:
    shipped = Path("services/recap/quiz/packs/sofa.toml").read_text()
    wrong = tmp_path / "mine.toml"
    wrong.write_text(shipped.replace("energy:intense", "energy:feral"))
    done = trained_home.reprise("import", "pack", str(wrong), expect=1)
    assert (
        "mine.toml:8: questions[0].options[0].tags: no title carries 'energy:feral'" in done.stderr
    )
    wrong.write_text(shipped.replace('"sofa"', '"mine"'))
    trained_home.reprise("import", "pack", str(wrong))
    stored = trained_home.path / "recap" / "packs" / "mine.toml"
    assert stored.read_text() == wrong.read_text()
