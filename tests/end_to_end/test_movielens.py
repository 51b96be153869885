"""A folder in the MovieLens layout: imported, trained on, served, asked in a batch."""

import csv
import json
import random
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from cli.suite import Suite, running, target
from libs.artifacts.bundle import BundleStore
from libs.serving.decoding import timestamp
from reprise.common.v1 import purpose_pb2, viewing_pb2
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from tests.end_to_end.conftest import Home, home_at

pytestmark = pytest.mark.end_to_end

START_S = 960_000_000
DAY_S = 86_400
DAYS = 60
# Long after the newest rating: a title that was rated counts as seen at any age.
YEARS_LATER_S = START_S + 1_500 * DAY_S
TITLES = 120
PROFILES = 150


@dataclass(frozen=True)
class Imported:
    """A home with an imported folder, and who rated what in it, with the time of the last."""

    home: Home
    folder: Path
    rated: dict[str, set[str]]
    last_s: dict[str, int]


def write_folder(folder: Path) -> tuple[dict[str, set[str]], dict[str, int]]:
    """Invented people, half of whom rate odd titles and half even ones, in two sittings each."""
    rng = random.Random(5)
    folder.mkdir()
    genres = ("Comedy", "Drama|Romance")
    movies = [f"{n}::Title {n} ({1980 + n % 20})::{genres[n % 2]}" for n in range(1, TITLES + 1)]
    (folder / "movies.dat").write_text("\n".join(movies) + "\n", "latin-1")
    (folder / "users.dat").write_text("".join(f"{n}::F::25::1::0\n" for n in range(1, 151)))
    lines, rated, last_s = [], {}, {}
    for person in range(1, PROFILES + 1):
        odd = [n for n in range(1, TITLES + 1) if n % 2 == person % 2]
        chosen = rng.sample(odd, 24)
        chosen += rng.sample([n for n in range(1, TITLES + 1) if n not in chosen], 4)
        rated[str(person)] = {str(n) for n in chosen}
        sittings = sorted(rng.sample(range(DAYS), 2))
        for place, n in enumerate(chosen):
            at_s = START_S + sittings[place >= 14] * DAY_S + person * 60
            last_s[str(person)] = at_s
            lines.append(f"{person}::{n}::{rng.randint(1, 5)}::{at_s}")
    lines.insert(3, "1::9999::4::960000000")
    lines.insert(7, "broken")
    (folder / "ratings.dat").write_text("\r\n".join(lines) + "\n")
    return rated, last_s


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    folder = tmp_path_factory.mktemp("movielens") / "folder"
    rated, last_s = write_folder(folder)
    home = home_at(tmp_path_factory.mktemp("home"))
    answer = home.json("import", "movielens", str(folder))
    assert (answer["titles"], answer["profiles"]) == (TITLES, PROFILES)
    assert answer["events"] == sum(map(len, rated.values()))
    assert [(one["file"], one["line"]) for one in answer["bad_lines"]] == [
        ("ratings.dat", 4),
        ("ratings.dat", 8),
    ]
    home.reprise("train")
    return Imported(home, folder, rated, last_s)


@pytest.fixture(scope="module")
def suite(imported: Imported) -> Iterator[Suite]:
    with running(imported.home.settings) as started:
        yield started


def write_requests(file: Path, times: dict[str, int]) -> Path:
    with file.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("profile_id", "request_time"))
        writer.writerows(times.items())
    return file


def lists_of(imported: Imported, path: Path, times: dict[str, int]) -> dict[str, list[str]]:
    requests, out = write_requests(path / "requests.csv", times), path / "lists.json"
    imported.home.reprise("batch", "--requests", str(requests), "--out", str(out), "--limit", "200")
    lists: dict[str, list[str]] = json.loads(out.read_text())
    return lists


def recommended(suite: Suite, profile_id: str) -> ranking_pb2.RecommendResponse:
    with grpc.insecure_channel(target(suite.settings, "ranking")) as channel:
        return ranking_pb2_grpc.RankingServiceStub(channel).Recommend(
            ranking_pb2.RecommendRequest(
                profile_id=profile_id,
                limit=500,
                purpose=purpose_pb2.PURPOSE_EVALUATION,
                request_time=timestamp(YEARS_LATER_S * 1000),
            ),
            timeout=20,
        )


def test_importing_again_records_only_what_is_missing(imported: Imported, suite: Suite) -> None:
    again = imported.home.json("import", "movielens", str(imported.folder))
    assert (again["events"], again["duplicates"]) == (0, sum(map(len, imported.rated.values())))


def test_a_batch_answers_in_the_files_own_ids_without_duplicates_and_what_was_rated(
    imported: Imported, suite: Suite, tmp_path: Path
) -> None:
    lists = lists_of(imported, tmp_path, dict.fromkeys(imported.rated, YEARS_LATER_S))
    assert lists.keys() == imported.rated.keys()
    everything = {str(number) for number in range(1, TITLES + 1)}
    for profile_id, title_ids in lists.items():
        assert len(title_ids) == len(set(title_ids))
        # All that is left is fewer than was asked for, so this is all of it.
        assert set(title_ids) == everything - imported.rated[profile_id]


def test_a_past_request_sees_nothing_later(
    imported: Imported, suite: Suite, tmp_path: Path
) -> None:
    # A second before its last sitting, what a profile rates in it is still new to it.
    times = {profile_id: last_s - 1 for profile_id, last_s in imported.last_s.items()}
    lists = lists_of(imported, tmp_path, times)
    for profile_id, title_ids in lists.items():
        assert len(imported.rated[profile_id].intersection(title_ids)) == 14


def test_says_when_the_bundle_knows_what_came_later(
    imported: Imported, suite: Suite, tmp_path: Path
) -> None:
    out = tmp_path / "lists.json"
    for at_s, later in ((START_S, 1), (YEARS_LATER_S, 0)):
        requests = write_requests(tmp_path / "requests.csv", {"1": at_s})
        shown = imported.home.json("batch", "--requests", str(requests), "--out", str(out))
        assert shown["trained_later"] == later


def test_what_is_rated_after_training_is_felt_at_once(imported: Imported, suite: Suite) -> None:
    before = recommended(suite, "stranger").title_ids
    with grpc.insecure_channel(target(suite.settings, "events")) as channel:
        events_pb2_grpc.EventsServiceStub(channel).RecordEvents(
            events_pb2.RecordEventsRequest(
                events=[
                    events_pb2.Event(
                        event_id=f"new-{title_id}",
                        profile_id="stranger",
                        kind=events_pb2.EVENT_KIND_RATING,
                        occurred_at=timestamp((YEARS_LATER_S - 1) * 1000),
                        title_id=title_id,
                        rating=events_pb2.Rating(value=5, scale=5),
                        context=viewing_pb2.ViewingContext(),
                    )
                    for title_id in before[:5]
                ]
            ),
            timeout=5,
        )
    after = recommended(suite, "stranger").title_ids
    assert not set(before[:5]).intersection(after)
    assert set(before[5:]) == set(after)
    assert list(before[5:]) != list(after)


@pytest.mark.parametrize("without", ["nothing", "ranker", "candidates"])
def test_nothing_rated_comes_back_whatever_is_missing(
    imported: Imported, tmp_path: Path, without: str
) -> None:
    home = home_at(tmp_path / "home")
    shutil.copytree(imported.home.path, home.path)
    if without == "ranker":
        store = BundleStore(home.bundles)
        shutil.rmtree(home.bundles / str(store.current_version()) / "ranker")
    with running(home.settings) as suite:
        if without == "candidates":
            suite.stop_one("candidates", with_signal=signal.SIGKILL)
        for profile_id in list(imported.rated)[:20]:
            answer = recommended(suite, profile_id)
            assert bool(answer.degraded) == (without != "nothing")
            assert answer.title_ids
            assert not imported.rated[profile_id].intersection(answer.title_ids)


def test_an_evaluation_without_its_history_fails_rather_than_guess(
    imported: Imported, tmp_path: Path
) -> None:
    home = home_at(tmp_path / "home")
    shutil.copytree(imported.home.path, home.path)
    with running(home.settings) as suite:
        suite.stop_one("events", with_signal=signal.SIGKILL)
        with pytest.raises(grpc.RpcError) as failed:
            recommended(suite, "1")
        assert failed.value.code() is grpc.StatusCode.UNAVAILABLE


def test_bad_folders_and_a_suite_that_is_down_are_one_clear_line(
    imported: Imported, tmp_path: Path
) -> None:
    home = home_at(tmp_path / "other")
    (tmp_path / "empty").mkdir()
    failed = home.reprise("import", "movielens", str(tmp_path / "empty"), expect=1)
    assert failed.stderr.count("\n") == 1
    assert "holds no MovieLens data" in failed.stderr
    requests = write_requests(tmp_path / "requests.csv", {"1": START_S})
    failed = home.reprise("batch", "--requests", str(requests), "--out", "x.json", expect=1)
    assert "start them with `reprise up`" in failed.stderr
