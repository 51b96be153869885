from pathlib import Path

import pytest

from cli.evaluate_quiz import read_hidden
from libs.faults import StartFault


def test_hidden_users_are_one_a_line_and_named_once(tmp_path: Path) -> None:
    file = tmp_path / "hidden.txt"
    file.write_text("12\n\n 7 \n12\n")
    assert read_hidden(file) == ("12", "7")


def test_a_file_that_names_nobody_is_an_error_of_one_line(tmp_path: Path) -> None:
    file = tmp_path / "hidden.txt"
    file.write_text("\n")
    with pytest.raises(StartFault, match="names nobody"):
        read_hidden(file)


def test_a_missing_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(StartFault, match="cannot be read"):
        read_hidden(tmp_path / "nothing.txt")
