"""Parts die while requests run: every request is answered in time and names what is missing."""

import shutil
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from cli.suite import Suite, target
from libs.artifacts.bundle import BundleStore, PartWriter, publish
from reprise.common.v1 import purpose_pb2
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from tests.end_to_end.conftest import Home

pytestmark = pytest.mark.end_to_end

DEADLINE_S = 1.0
WITHIN_S = 15.0


class Caller:
    """Asks one question after another from a thread, and keeps every answer or error."""

    def __init__(self, where: str) -> None:
        self._channel = grpc.insecure_channel(where)
        self._stub = ranking_pb2_grpc.RankingServiceStub(self._channel)
        self._is_over = threading.Event()
        self._answered = threading.Condition()
        self.answers: list[ranking_pb2.RecommendResponse] = []
        self.errors: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 0
        while not self._is_over.is_set():
            number += 1
            request = ranking_pb2.RecommendRequest(profile_id=f"p{number % 600:06d}", limit=20)
            try:
                answer = self._stub.Recommend(request, timeout=DEADLINE_S)
            except grpc.RpcError as error:
                self.errors.append(str(error))
            else:
                with self._answered:
                    self.answers.append(answer)
                    self._answered.notify_all()

    def wait_for(self, condition: Callable[[ranking_pb2.RecommendResponse], bool]) -> None:
        """Wait for an answer from now on that fulfils the condition."""
        start = len(self.answers)
        with self._answered:
            found = self._answered.wait_for(
                lambda: any(condition(answer) for answer in self.answers[start:]), WITHIN_S
            )
        assert found, f"not seen in {WITHIN_S} s; last answer: {self.answers[-1]}"

    def __enter__(self) -> "Caller":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._channel.close()


@contextmanager
def asking(suite: Suite) -> Iterator[Caller]:
    with Caller(target(suite.settings, "ranking")) as caller:
        caller.wait_for(is_whole)
        yield caller


def degraded(answer: ranking_pb2.RecommendResponse) -> set[str]:
    return {purpose_pb2.Part.Name(part).removeprefix("PART_") for part in answer.degraded}


def is_whole(answer: ranking_pb2.RecommendResponse) -> bool:
    return not answer.degraded and len(answer.title_ids) == 20


def missing(*parts: str) -> Callable[[ranking_pb2.RecommendResponse], bool]:
    return lambda answer: set(parts) <= degraded(answer)


def lost_decisions(home: Home) -> float:
    url = f"http://{home.settings.host}:{home.settings.ranking_metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=5) as page:
        lines = page.read().decode().splitlines()
    return next(
        float(line.split()[-1]) for line in lines if line.startswith("reprise_decisions_lost_total")
    )


def test_without_candidates_the_answer_is_what_is_popular(
    breakable: tuple[Home, Suite],
) -> None:
    _, suite = breakable
    suite.start()
    suite.wait_ready()
    with asking(suite) as caller:
        suite.stop_one("candidates", with_signal=signal.SIGKILL)
        caller.wait_for(missing("CANDIDATES"))
        without = caller.answers[-1]
        suite.start_one("candidates")
        caller.wait_for(is_whole)
    assert without.policy == "popular-1"
    assert len(without.title_ids) == 20
    assert not caller.errors
    assert all(len(set(answer.title_ids)) == 20 for answer in caller.answers)


def test_without_events_features_come_from_the_file_and_lost_decisions_are_counted(
    breakable: tuple[Home, Suite],
) -> None:
    home, suite = breakable
    suite.start_one("events")
    suite.start_one("candidates")
    suite.start_one("ranking", {"REPRISE_DECISION_CAPACITY": "5"})
    suite.wait_ready(("events", "candidates", "ranking"))
    with asking(suite) as caller:
        suite.stop_one("events", with_signal=signal.SIGKILL)
        caller.wait_for(missing("EVENTS"))
        without = caller.answers[-1]
        begin = time.monotonic()
        while lost_decisions(home) == 0:
            assert time.monotonic() - begin < WITHIN_S
        suite.start_one("events")
        caller.wait_for(is_whole)
    assert degraded(without) == {"EVENTS"}
    assert without.policy == "ranker-mmr-1"
    assert not caller.errors


def test_without_its_ranker_file_ranking_answers_in_retrieval_order(
    breakable: tuple[Home, Suite],
) -> None:
    home, suite = breakable
    bundles = BundleStore(home.bundles)
    version = bundles.current_version()
    assert version
    trees = home.bundles / version / "ranker" / "trees.txt"
    kept = trees.read_bytes()
    suite.start()
    suite.wait_ready()
    suite.stop_one("ranking")
    trees.unlink()
    suite.start_one("ranking")
    suite.wait_ready(("ranking",))
    with Caller(target(suite.settings, "ranking")) as caller:
        caller.wait_for(missing("RANKER"))
        without = next(one for one in caller.answers if degraded(one) == {"RANKER"})
        trees.write_bytes(kept)
        caller.wait_for(is_whole)
    assert without.policy == "retrieval-order-1"
    assert not without.model_version
    assert without.index_version == version
    assert not caller.errors


@pytest.mark.parametrize("damaged", ["retrieval/vectors.npy", "ranker/trees.txt"])
def test_a_bundle_with_one_flipped_bit_is_refused_and_the_old_one_keeps_serving(
    breakable: tuple[Home, Suite], tmp_path: Path, damaged: str
) -> None:
    home, suite = breakable
    root = home.bundles
    old = BundleStore(root).current_version()
    new = republished(root, tmp_path / "elsewhere")
    file = tmp_path / "elsewhere" / new / damaged
    whole = file.read_bytes()
    file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    suite.start()
    suite.wait_ready()
    with asking(suite) as caller:
        shutil.copytree(tmp_path / "elsewhere" / new, root / new)
        shutil.copy(tmp_path / "elsewhere" / "CURRENT", root / "CURRENT")
        wait_for_log(home, "ranking", "bundle refused")
        caller.wait_for(is_whole)
        assert caller.answers[-1].model_version == old
        (root / new / damaged).write_bytes(whole)
        caller.wait_for(lambda answer: is_whole(answer) and answer.model_version == new)
    assert not caller.errors
    assert {answer.model_version for answer in caller.answers} == {old, new}
    assert all(answer.model_version == answer.index_version for answer in caller.answers)


def republished(root: Path, elsewhere: Path) -> str:
    """Publish the current bundle's files once more, as a newer version in another folder."""
    store = BundleStore(root)
    version = store.current_version()
    assert version
    manifest = store.manifest(version)

    def copy_of(part: str) -> PartWriter:
        def write(folder: Path) -> dict[str, tuple[int, ...]]:
            shutil.copytree(root / version / part, folder, dirs_exist_ok=True)
            return {name: entry.shape for name, entry in manifest.parts[part].items()}

        return write

    return publish(
        elsewhere,
        {part: copy_of(part) for part in manifest.parts},
        now_ms=manifest.created_ms + 1_000,
        trained_until_ms=manifest.trained_until_ms,
        feature_schema_version=manifest.feature_schema_version,
    )


def wait_for_log(home: Home, service: str, text: str) -> None:
    log = home.path / "run" / f"{service}.log"
    begin = time.monotonic()
    while text not in log.read_text():
        assert time.monotonic() - begin < WITHIN_S, log.read_text()
