from pathlib import Path

import pytest

from cli.movielens import SHOWN_BAD_LINES, BadLine, BadLines, MovieLensFolder
from libs.domain.event import Event, EventKind, Rating
from libs.domain.title import TitleKind
from libs.faults import StartFault

NOW_MS = 1_800_000_000_000

MOVIES_DAT = "1::Toy Town (1995)::Animation|Children's\n2::Les Étés (1999)::Drama\n"
RATINGS_DAT = "7::2::4::978131551\n7::1::3::978131551\n8::1::5::978131552\n"
USERS_DAT = "7::F::1::10::48067\n8::M::25::15::55117\n9::M::25::15::55117\n"

MOVIES_CSV = 'movieId,title,genres\n1,"Town, The (2001)",Comedy\n2,Être (1960),(no genres listed)\n'
RATINGS_CSV = "userId,movieId,rating,timestamp\n1,2,2.5,1260759144\n1,1,5.0,1260759179\n"
TAGS_CSV = (
    "userId,movieId,tag,timestamp\n1,1,Heist,1\n2,1, heist ,2\n3,1,a b,3\n4,1,calm,4\n5,1,CALM,5\n"
)


def dat_folder(path: Path, **files: str) -> MovieLensFolder:
    texts = {"movies": MOVIES_DAT, "ratings": RATINGS_DAT, "users": USERS_DAT, **files}
    for name, text in texts.items():
        (path / f"{name}.dat").write_bytes(text.encode("latin-1"))
    return MovieLensFolder.open(path)


def csv_folder(path: Path, **files: str) -> MovieLensFolder:
    texts = {"movies": MOVIES_CSV, "ratings": RATINGS_CSV, "tags": TAGS_CSV, **files}
    for name, text in texts.items():
        (path / f"{name}.csv").write_bytes(text.encode("utf-8"))
    return MovieLensFolder.open(path)


def read(folder: MovieLensFolder) -> tuple[list[Event], BadLines]:
    bad = BadLines()
    titles = {title.title_id for title in folder.titles(bad)}
    return [event for _, event in folder.ratings(titles, bad, now_ms=NOW_MS)], bad


def test_reads_the_layout_with_colons(tmp_path: Path) -> None:
    folder = dat_folder(tmp_path)
    bad = BadLines()
    first, second = folder.titles(bad)
    assert (first.title_id, first.kind, first.name) == ("1", TitleKind.MOVIE, "Toy Town (1995)")
    assert first.genres == ("Animation", "Children's")
    assert first.release_date is not None
    assert first.release_date.year == 1995
    assert second.name == "Les Étés (1999)"
    assert folder.profile_ids(bad) == ["7", "8", "9"]
    events, _ = read(folder)
    assert [(one.profile_id, one.title_id, one.sequence) for one in events] == [
        ("7", "2", 1),
        ("7", "1", 2),
        ("8", "1", 3),
    ]
    assert {one.kind for one in events} == {EventKind.RATING}
    assert events[0].detail == Rating(4.0, 5.0)
    assert events[0].occurred_ms == 978_131_551_000
    assert bad.count == 0


def test_equal_times_keep_the_order_of_the_lines(tmp_path: Path) -> None:
    events, _ = read(dat_folder(tmp_path))
    in_order = sorted(events, key=lambda event: event.order)
    assert [one.title_id for one in in_order if one.profile_id == "7"] == ["2", "1"]


def test_reads_the_layout_with_commas(tmp_path: Path) -> None:
    folder = csv_folder(tmp_path)
    first, second = folder.titles(BadLines())
    assert first.name == "Town, The (2001)"
    assert first.tags == ("calm", "heist", "a b")
    assert (second.name, second.genres) == ("Être (1960)", ())
    events, bad = read(folder)
    assert [one.detail for one in events] == [Rating(2.5, 5.0), Rating(5.0, 5.0)]
    assert [one.sequence for one in events] == [2, 3]
    assert not folder.has_users
    assert bad.count == 0


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    ratings = "timestamp,rating,userId,movieId\n1260759144,2.5,1,2\n"
    events, _ = read(csv_folder(tmp_path, ratings=ratings))
    assert (events[0].profile_id, events[0].title_id) == ("1", "2")


def test_movies_that_are_not_filed_under_childrens_are_kept_from_children(tmp_path: Path) -> None:
    first, second = dat_folder(tmp_path).titles(BadLines())
    assert first.maturity_years <= 7 < second.maturity_years


def test_abstracts_become_synopses(tmp_path: Path) -> None:
    folder = dat_folder(tmp_path)
    (tmp_path / "abstracts.json").write_text('{"2": "A summer\\nby the sea.", "404": "Nothing."}')
    assert [title.synopsis for title in folder.titles(BadLines())] == ["", "A summer by the sea."]


@pytest.mark.parametrize("text", ["{", "[]", '"text"'])
def test_broken_abstracts_are_one_clear_line(tmp_path: Path, text: str) -> None:
    folder = dat_folder(tmp_path)
    (tmp_path / "abstracts.json").write_text(text)
    with pytest.raises(StartFault, match=r"abstracts\.json"):
        folder.titles(BadLines())


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_may_be_mixed(tmp_path: Path, end: str) -> None:
    ratings = f"7::2::4::978131551{end}7::1::3::978131551\r\n8::1::5::978131552\n"
    events, bad = read(dat_folder(tmp_path, ratings=ratings))
    assert len(events) == 3
    assert bad.count == 0


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("7::1::3", "has 3 fields instead of 4"),
        ("7::1::3::x", "rating '3' or timestamp 'x' is no number"),
        ("7::1::nan::978131551", "rating nan is not above 0 and at most 5"),
        ("7::1::6::978131551", "rating 6 is not above 0 and at most 5"),
        ("7::404::3::978131551", "movie '404' is not in movies.dat"),
        ("::1::3::978131551", "profile_id: must not be empty"),
        ("7::1::3::-1", "occurred_at: must be 1970 or later"),
        ("7::1::3::9999999999", "timestamp 9999999999 is more than a day ahead"),
    ],
)
def test_a_bad_line_is_shown_with_its_number_and_costs_no_other(
    tmp_path: Path, line: str, problem: str
) -> None:
    ratings = RATINGS_DAT.replace("8::1", f"{line}\n8::1")
    events, bad = read(dat_folder(tmp_path, ratings=ratings))
    assert bad.first == [BadLine("ratings.dat", 3, problem)]
    assert [one.sequence for one in events] == [1, 2, 4]


@pytest.mark.parametrize("line", ['1,"2,5.0,1260759144', "1,2", b"\xff,2,5.0,1".decode("latin-1")])
def test_a_stray_quote_does_not_swallow_the_lines_after_it(tmp_path: Path, line: str) -> None:
    header, *others = RATINGS_CSV.splitlines(keepends=True)
    folder = csv_folder(tmp_path)
    (tmp_path / "ratings.csv").write_bytes(f"{header}{line}\n{''.join(others)}".encode("latin-1"))
    events, bad = read(folder)
    assert [one.sequence for one in events] == [3, 4]
    assert [one.line for one in bad.first] == [2]


def test_many_bad_lines_are_counted_and_the_first_are_kept(tmp_path: Path) -> None:
    _, bad = read(dat_folder(tmp_path, ratings="broken\n" * 50))
    assert bad.count == 50
    assert [one.line for one in bad.first] == list(range(1, SHOWN_BAD_LINES + 1))


def test_a_line_has_the_same_event_id_wherever_it_is(tmp_path: Path) -> None:
    before = {one.event_id for one in read(dat_folder(tmp_path))[0]}
    moved = "\n" + "".join(reversed(RATINGS_DAT.splitlines(keepends=True)))
    assert {one.event_id for one in read(dat_folder(tmp_path, ratings=moved))[0]} == before
    assert len(before) == 3


@pytest.mark.parametrize("missing", ["movies.dat", "ratings.dat", "movies.csv", "ratings.csv"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    made = dat_folder if missing.endswith("dat") else csv_folder
    made(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(StartFault, match=f"has no {missing}"):
        MovieLensFolder.open(tmp_path)


def test_what_is_no_movielens_folder_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(StartFault, match="holds no MovieLens data"):
        MovieLensFolder.open(tmp_path)
    with pytest.raises(StartFault, match="is no folder"):
        MovieLensFolder.open(tmp_path / "nowhere")


def test_a_csv_without_its_columns_is_refused(tmp_path: Path) -> None:
    folder = csv_folder(tmp_path, ratings="1,2,2.5,1260759144\n")
    with pytest.raises(StartFault, match="does not name userId, movieId, rating, timestamp"):
        read(folder)
