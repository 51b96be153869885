import json
from pathlib import Path

import pytest

from cli.batch import BatchAnswer, BatchRequest, read_requests, report, write_lists
from libs.faults import StartFault


def requests_file(path: Path, text: str) -> Path:
    file = path / "requests.csv"
    file.write_text(text)
    return file


def test_reads_unix_seconds_and_rfc_3339(tmp_path: Path) -> None:
    file = requests_file(
        tmp_path,
        "profile_id,request_time\n24,978131551\n7,2000-12-29T23:12:31Z\n9,2000-12-30T00:12:31+01:00",
    )
    assert read_requests(file) == [
        BatchRequest("24", 978_131_551_000),
        BatchRequest("7", 978_131_551_000),
        BatchRequest("9", 978_131_551_000),
    ]


def test_other_columns_and_line_ends_do_not_matter(tmp_path: Path) -> None:
    file = requests_file(tmp_path, "x,request_time,profile_id\r\nq,978131551,24\r\n")
    assert read_requests(file) == [BatchRequest("24", 978_131_551_000)]


def test_a_line_given_twice_is_asked_once(tmp_path: Path) -> None:
    file = requests_file(tmp_path, "profile_id,request_time\n24,1\n24,1\n")
    assert read_requests(file) == [BatchRequest("24", 1_000)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("profile_id,request_time\n24,1\n24,2\n", "line 3: profile '24' is asked for at two times"),
        ("profile_id,request_time\n24,soon\n", "line 2: 'soon' is no time"),
        ("profile_id,request_time\n24\n", "line 2: '' is no time"),
        ("profile_id,request_time\n,1\n", "line 2: profile_id: must not be empty"),
        ("profile,when\n24,1\n", "does not name profile_id, request_time"),
        ("", "does not name profile_id, request_time"),
    ],
)
def test_what_cannot_be_asked_is_one_line_with_its_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(StartFault, match=problem):
        read_requests(requests_file(tmp_path, text))


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StartFault, match="cannot be read"):
        read_requests(tmp_path / "nowhere.csv")


def test_says_how_many_times_the_bundle_has_seen_past(tmp_path: Path) -> None:
    answers = {
        BatchRequest("a", 1_000): BatchAnswer(("1",), (), 2_000),
        BatchRequest("b", 2_000): BatchAnswer((), ("RANKER",), 2_000),
    }
    made = report(answers, seconds=1.0)
    assert (made.trained_later, made.trained_until_ms, made.empty) == (1, 2_000, 1)
    assert made.degraded == {"RANKER": 1}


def test_writes_one_list_a_profile(tmp_path: Path) -> None:
    file = tmp_path / "lists.json"
    write_lists(file, {"24": ("3", "1"), "7": ()})
    assert json.loads(file.read_text()) == {"24": ["3", "1"], "7": []}
    assert [path.name for path in tmp_path.iterdir()] == ["lists.json"]


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StartFault, match="cannot be written"):
        write_lists(tmp_path / "nowhere" / "lists.json", {})
