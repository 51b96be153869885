from pathlib import Path

import pytest

from libs.storage.recap.quiz_table import StoredQuiz, add_quiz, read_quiz
from tests.made_databases import PostgresDatabases
from tests.made_recap import KINDS, made_database


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_new_once_and_the_first_one_stands(
    kind: str, tmp_path: Path, postgres_databases: PostgresDatabases
) -> None:
    with made_database(kind, tmp_path, postgres_databases) as database:
        with database.write() as connection:
            assert add_quiz(connection, "default", "p", "z", StoredQuiz(1, b"first"))
            assert not add_quiz(connection, "default", "p", "z", StoredQuiz(2, b"second"))
            assert add_quiz(connection, "default", "q", "z", StoredQuiz(3, b"another"))
        with database.read() as connection:
            assert read_quiz(connection, "default", "p", "z") == StoredQuiz(1, b"first")
