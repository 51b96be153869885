import json
from pathlib import Path

import pytest

from cli.movielens import BadLines, MovieLensFolder
from libs.domain.event import Event, Rating
from libs.faults import StartFault


def write(folder: Path, name: str, text: str, encoding: str = "latin-1") -> None:
    (folder / name).write_bytes(text.encode(encoding))


def events(folder: MovieLensFolder, title_ids: set[str], bad: BadLines) -> list[Event]:
    return [event for _, event in folder.ratings(title_ids, bad, now_ms=2_000_000_000_000)]


@pytest.fixture
def dat(tmp_path: Path) -> Path:
    write(
        tmp_path,
        "movies.dat",
        "1::Toy Café (1995)::Animation|Children's\r\n2::Heat (1995)::Action\n\nbroken\n",
    )
    write(tmp_path, "users.dat", "1::F::1::10::48067\n2::M::25::16::70072\n")
    write(
        tmp_path,
        "ratings.dat",
        "1::1::5::978300760\n1::2::3::978300760\nx::2::3\n1::2::9::978300761\n2::1::4::978300762\r\n",
    )
    (tmp_path / "abstracts.json").write_text(json.dumps({"1": "Toys come alive."}))
    return tmp_path


def test_reads_the_dat_layout_and_counts_bad_lines_by_number(dat: Path) -> None:
    folder, bad = MovieLensFolder.open(dat), BadLines()
    titles = {title.title_id: title for title in folder.titles(bad)}
    assert titles["1"].name.startswith("Toy Café")
    assert titles["1"].synopsis == "Toys come alive."
    assert titles["2"].release_date is not None
    assert titles["2"].release_date.year == 1995
    assert [(one.file, one.line) for one in bad.first] == [("movies.dat", 4)]
    assert folder.profile_ids(bad) == ["1", "2"]


def test_a_rating_is_an_event_in_the_place_of_its_line(dat: Path) -> None:
    folder, bad = MovieLensFolder.open(dat), BadLines()
    found = events(folder, {"1", "2"}, bad)
    assert [(one.profile_id, one.title_id, one.sequence) for one in found] == [
        ("1", "1", 1),
        ("1", "2", 2),
        ("2", "1", 5),
    ]
    assert found[0].detail == Rating(5, 5)
    assert len({one.event_id for one in found}) == 3
    assert [(one.file, one.line) for one in bad.first] == [("ratings.dat", 3), ("ratings.dat", 4)]
    assert events(folder, {"1", "2"}, BadLines()) == found


def test_reads_the_csv_layout(tmp_path: Path) -> None:
    write(tmp_path, "movies.csv", 'movieId,title,genres\n7,"Sun, The (2001)",Drama|War\n', "utf-8")
    write(tmp_path, "ratings.csv", "userId,movieId,rating,timestamp\n3,7,4.5,978300760\n", "utf-8")
    folder, bad = MovieLensFolder.open(tmp_path), BadLines()
    (title,) = folder.titles(bad)
    assert (title.title_id, title.genres) == ("7", ("Drama", "War"))
    (event,) = events(folder, {"7"}, bad)
    assert event.detail == Rating(4.5, 5)
    assert bad.count == 0


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    write(tmp_path, "movies.dat", "1::A (1995)::Drama\n")
    with pytest.raises(StartFault, match="ratings"):
        MovieLensFolder.open(tmp_path)
    with pytest.raises(StartFault, match="no folder"):
        MovieLensFolder.open(tmp_path / "nowhere")
