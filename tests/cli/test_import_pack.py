from pathlib import Path

import pytest

from cli.import_pack import place_of
from libs.faults import StartFault
from services.recap.quiz.pack import parse

SOFA = Path("services/recap/quiz/packs/sofa.toml")


def test_a_pack_is_kept_under_the_name_of_its_file(tmp_path: Path) -> None:
    pack = parse(SOFA.read_text(), "mine.toml")
    folder = tmp_path / "packs"
    assert place_of(pack, Path("mine.toml"), folder) == folder / "mine.toml"
    folder.mkdir()
    (folder / "mine.toml").write_text(SOFA.read_text())
    assert place_of(pack, Path("mine.toml"), folder) == folder / "mine.toml", "written anew"


def test_two_files_of_one_pack_are_refused(tmp_path: Path) -> None:
    (tmp_path / "couch.toml").write_text(SOFA.read_text())
    (tmp_path / "broken.toml").write_text("[")
    pack = parse(SOFA.read_text(), "mine.toml")
    with pytest.raises(StartFault, match=r"couch\.toml is pack 'sofa' already"):
        place_of(pack, Path("mine.toml"), tmp_path)
