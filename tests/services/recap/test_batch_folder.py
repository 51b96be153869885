"""What a run's folder may look like when it is begun, gone on with, or used by two."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from libs.domain.event import DAY_MS
from libs.domain.title import Title, TitleKind
from libs.faults import StartFault
from services.recap.batch import Built, build, forget, open_run
from services.recap.year.cohort import NO_COHORTS
from services.recap.year.period import LIFETIME, Period
from tests.made_recaps import made_export, play

CUTOFF_MS = 20_000 * DAY_MS  # 2024-10-04
TITLES = [Title("m", TitleKind.MOVIE, "M")]
KEPT = {"cut": 0.5, "empty": 0.0}  # of a damaged file's bytes


@pytest.fixture
def export(tmp_path: Path) -> Path:
    events = [
        event
        for whose in ("p", "q", "r")
        for event in play(f"{whose}-e", CUTOFF_MS - DAY_MS, "m", 30, profile_id=whose)
    ]
    made_export(tmp_path / "export", events, cutoff_ms=CUTOFF_MS)
    return tmp_path / "export"


def _built(export: Path, work: Path, period: Period = LIFETIME) -> Built:
    run = open_run(export, TITLES, period, work, threads=1)
    return build(run, lambda done, total: None)


def _rows(built: Built) -> list[tuple[str, str, str]]:
    return [
        (profile_id, who, recap.to_json())
        for place in range(len(built.run.partitions))
        for profile_id, who, recap in built.rows(place)
    ]


@pytest.mark.parametrize("left", [["run.part"], ["titles.parquet"], ["titles.parquet", "run.part"]])
def test_killed_while_it_began_it_begins_anew(
    tmp_path: Path, export: Path, left: list[str]
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for name in left:
        (work / name).write_bytes(b"half")
    assert len(_rows(_built(export, work))) == 3


BUILDING = """
import sys
from pathlib import Path
from libs.domain.title import Title, TitleKind
from services.recap.batch import build, open_run
from services.recap.year.period import LIFETIME
export, work = map(Path, sys.argv[1:])
run = open_run(export, [Title("m", TitleKind.MOVIE, "M")], LIFETIME, work, threads=1)
def wait(done, total):
    print(done, flush=True)
    sys.stdin.read()
build(run, wait)
"""


def test_a_folder_of_something_else_is_left_as_it_is(tmp_path: Path, export: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "mine.parquet").write_bytes(b"mine")
    with pytest.raises(StartFault, match="neither empty nor a run"):
        _built(export, work)
    assert [one.name for one in work.iterdir()] == ["mine.parquet"]


def test_two_do_not_write_one_run(tmp_path: Path, export: Path) -> None:
    work = tmp_path / "work"
    with subprocess.Popen(
        [sys.executable, "-c", BUILDING, str(export), str(work)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"1\n"
        with pytest.raises(StartFault, match="another process"):
            _built(export, work)
        other.send_signal(signal.SIGKILL)
    assert len(_rows(_built(export, work))) == 3, "its lock has gone with it"


@pytest.mark.parametrize(
    ("name", "how"), [("minutes", "cut"), ("country", "empty"), ("whose", "empty")]
)
def test_a_damaged_story_is_told_by_its_path(
    tmp_path: Path, export: Path, name: str, how: str
) -> None:
    built = _built(export, tmp_path / "work")
    wanted, path = _rows(built), built.run.part_path(0, name)
    path.write_bytes(path.read_bytes()[: int(KEPT[how] * path.stat().st_size)])
    with pytest.raises(StartFault, match=f"{name}.parquet is damaged"):
        _rows(_built(export, tmp_path / "work"))
    path.unlink()
    forget(built.run, "night")  # a partition is read again for any story of it
    assert _rows(_built(export, tmp_path / "work")) == wanted


def test_a_damaged_catalogue_is_told_by_its_path_and_made_anew(
    tmp_path: Path, export: Path
) -> None:
    wanted = _rows(_built(export, tmp_path / "work"))
    titles = tmp_path / "work" / "titles.parquet"
    titles.write_bytes(b"")
    with pytest.raises(StartFault, match=r"titles.parquet is damaged"):
        _built(export, tmp_path / "work")
    titles.unlink()
    assert _rows(_built(export, tmp_path / "work")) == wanted


@pytest.mark.parametrize(
    ("name", "text"),
    [("run.json", ""), ("run.json", "[]"), ("cohorts.json", ""), ("cohorts.json", "[5]")],
)
def test_damaged_words_of_a_run_are_one_clear_line(
    tmp_path: Path, export: Path, name: str, text: str
) -> None:
    _built(export, tmp_path / "work")
    (tmp_path / "work" / name).write_text(text)
    with pytest.raises(StartFault, match=f"{name} is damaged"):
        _built(export, tmp_path / "work")


def test_an_export_of_nobody_is_a_run_of_nobody(tmp_path: Path) -> None:
    made_export(tmp_path / "nobody", [], cutoff_ms=CUTOFF_MS)
    built = _built(tmp_path / "nobody", tmp_path / "work")
    assert (_rows(built), built.cohorts) == ([], NO_COHORTS)


def test_a_period_after_the_export_is_refused(tmp_path: Path, export: Path) -> None:
    with pytest.raises(StartFault, match="must not be in the future"):
        _built(export, tmp_path / "work", Period.of_year(2025))
    assert not (tmp_path / "work").exists()
    assert len(_rows(_built(export, tmp_path / "work", Period.of_year(2024)))) == 3
