"""A folder in the MovieLens layout: imported twice, trained on, asked for in a batch."""

import json
from pathlib import Path

import numpy as np
import pytest

from cli.suite import running
from tests.end_to_end.conftest import home_at

pytestmark = pytest.mark.end_to_end

USERS, MOVIES, RATINGS_EACH = 120, 80, 15
START_S, DAYS = 978_300_000, 90


def write_folder(folder: Path) -> dict[str, set[str]]:
    """Invented users who prefer one half of the movies; returns what each has rated."""
    rng = np.random.default_rng(3)
    genres = ("Drama", "Comedy")
    folder.mkdir()
    (folder / "movies.dat").write_text(
        "".join(f"{n}::Film {n} (1999)::{genres[n % 2]}\n" for n in range(1, MOVIES + 1))
    )
    (folder / "users.dat").write_text("".join(f"{n}::F::25::1::0\n" for n in range(1, USERS + 1)))
    lines, rated = [], {}
    for user in range(1, USERS + 1):
        liked = np.arange(1, MOVIES + 1) % 2 == user % 2
        weights = np.where(liked, 5.0, 1.0)
        chosen = rng.choice(MOVIES, RATINGS_EACH, replace=False, p=weights / weights.sum()) + 1
        times = np.sort(rng.integers(START_S, START_S + DAYS * 86_400, RATINGS_EACH))
        rated[str(user)] = {str(movie) for movie in chosen}
        lines += [
            f"{user}::{movie}::{5 if movie % 2 == user % 2 else 2}::{time}\n"
            for movie, time in zip(chosen, times, strict=True)
        ]
    (folder / "ratings.dat").write_text("".join(lines) + "broken line\n")
    return rated


def test_a_folder_is_imported_trained_on_and_asked_in_a_batch(tmp_path: Path) -> None:
    rated = write_folder(tmp_path / "ml")
    home = home_at(tmp_path / "home")
    first = home.json("import", "movielens", str(tmp_path / "ml"))
    again = home.json("import", "movielens", str(tmp_path / "ml"))
    assert first["events"] == USERS * RATINGS_EACH
    assert again["events"] == 0
    assert first["bad_line_count"] == 1
    home.reprise("train")
    end = START_S + (DAYS + 1) * 86_400
    requests = tmp_path / "requests.csv"
    requests.write_text("profile_id,request_time\n" + "".join(f"{user},{end}\n" for user in rated))
    with running(home.settings):
        home.reprise("batch", "--requests", str(requests), "--out", str(tmp_path / "lists.json"))
    lists = json.loads((tmp_path / "lists.json").read_text())
    assert set(lists) == set(rated)
    for user, titles in lists.items():
        assert len(titles) == len(set(titles)) == 20
        assert not set(titles) & rated[user]
