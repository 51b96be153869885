from pathlib import Path

import pytest

from libs.artifacts.bundle import BundleStore
from libs.domain.event import DAY_MS
from libs.faults import StartFault
from libs.models.ranker import RANKER_PART, Ranker
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.models.taste_model import QUIZ_PART, TasteModel
from tests.made_events import START_MS, watch
from tests.made_world import UNTIL_MS, MemoryLog, encode, make_config, quiet, small_world
from training.judge import ALL_TIME, BASELINE
from training.material import read_material
from training.pipeline import train_from
from training.report import Stopwatch, TrainingReport


def train_small(root: Path, *, until_ms: int | None = None) -> TrainingReport:
    log, titles = small_world()
    return train_from(log, titles, make_config(root, until_ms=until_ms), quiet, 1, encode)


def test_a_published_bundle_beats_popularity_and_loads(tmp_path: Path) -> None:
    report = train_small(tmp_path)
    assert report.tree_count > 0
    assert report.evaluated_count > 20
    judged = {one.name: one for one in report.judged}
    assert set(judged) == {"ranking", "retrieval", BASELINE, ALL_TIME}
    gain = judged["ranking"].gain
    assert gain is not None
    assert gain.low > 0
    store = BundleStore(tmp_path / "bundles")
    assert store.current_version() == report.version
    manifest = store.manifest(report.version)
    model = RetrievalModel.read(store.open_part(report.version, RETRIEVAL_PART), manifest)
    assert model.trained_until_ms == report.trained_until_ms
    assert model.title_count == report.title_count == 80
    Ranker.read(store.open_part(report.version, RANKER_PART), manifest)
    taste = TasteModel.read(store.open_part(report.version, QUIZ_PART), manifest)
    assert set(taste.title_ids) <= set(model.title_ids)
    assert taste.trained_until_ms == report.trained_until_ms


def test_the_same_input_gives_the_same_bundle(tmp_path: Path) -> None:
    versions = [train_small(tmp_path / name).version for name in ("one", "two")]
    # A version ends with the digest of all files.
    assert versions[0] == versions[1]


def test_nothing_at_or_after_the_end_is_learnt_from(tmp_path: Path) -> None:
    log, titles = small_world()
    earlier = MemoryLog(
        tuple(event for event in log.events if event.occurred_ms < UNTIL_MS - 7 * DAY_MS),
        log.stored,
    )
    until_ms = earlier.newest_event_ms("") + 1
    whole = train_small(tmp_path / "whole", until_ms=until_ms)
    config = make_config(tmp_path / "earlier", until_ms=until_ms)
    cut_off = train_from(earlier, titles, config, quiet, 1, encode)
    assert whole.version == cut_off.version
    assert whole.trained_until_ms == until_ms


def test_an_end_after_the_log_is_the_end_of_the_log(tmp_path: Path) -> None:
    log, _ = small_world()
    versions = []
    for name, until_ms in (("all", None), ("future", UNTIL_MS + 5_000 * DAY_MS)):
        report = train_small(tmp_path / name, until_ms=until_ms)
        assert report.trained_until_ms == log.newest_event_ms("") + 1
        versions.append(report.version)
    assert versions[0] == versions[1]


def test_queries_know_nothing_of_their_own_window(tmp_path: Path) -> None:
    log, titles = small_world()
    material = read_material(log, titles, make_config(tmp_path), Stopwatch(quiet), encode)
    asked_count = 0
    for cut, snapshot in zip(material.cuts.all, material.snapshots, strict=True):
        for asked in snapshot.asked:
            asked_count += 1
            assert cut.time_ms <= asked.viewer.at_ms < cut.end_ms
            view = asked.viewer.view
            assert max(view.last_ms.max(initial=0), view.shown_ms.max(initial=0)) < cut.time_ms
            played = view.rows[view.last_ms > 0]
            assert not set(played.tolist()) & set(asked.relevant.tolist())
    assert asked_count > 100


def test_too_little_to_rank_by_still_publishes_retrieval(tmp_path: Path) -> None:
    _, titles = small_world()
    movie = next(title.title_id for title in titles if title.kind.name == "MOVIE")
    log = MemoryLog((watch("a", START_MS, title_id=movie),))
    report = train_from(log, titles, make_config(tmp_path), quiet, 1, encode)
    assert report.tree_count == 0
    assert "ranking" not in {one.name for one in report.judged}
    manifest = BundleStore(tmp_path / "bundles").manifest(report.version)
    assert set(manifest.parts) == {RETRIEVAL_PART}


@pytest.mark.parametrize(
    ("has_events", "has_titles", "text"),
    [(False, True, "no events"), (True, False, "catalogue is empty")],
)
def test_nothing_to_learn_from_is_one_clear_line(
    tmp_path: Path, has_events: bool, has_titles: bool, text: str
) -> None:
    log, titles = small_world()
    config = make_config(tmp_path)
    some_log = log if has_events else MemoryLog(())
    with pytest.raises(StartFault, match=text):
        train_from(some_log, titles if has_titles else (), config, quiet, 1, encode)
    assert not config.bundles.exists()


def test_progress_names_every_stage_and_ends_each_at_one(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    log, titles = small_world()
    report = train_from(
        log,
        titles,
        make_config(tmp_path),
        lambda stage, done: told.append((stage, done)),
        1,
        encode,
    )
    last = dict(told)
    assert set(last) == {stage for stage, _ in report.stage_seconds}
    assert set(last.values()) == {1.0}
    assert report.peak_memory_bytes > 10_000_000
