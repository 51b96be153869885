import json
from collections.abc import Callable, Mapping
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from libs.artifacts.bundle import BundleStore, publish
from libs.artifacts.manifest import BundleRejected
from libs.features.ranking_matrix import FEATURE_NAMES, FEATURES
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.models.ranker import RANKER_PART, Ranker

Write = Callable[[Path], Mapping[str, tuple[int, ...]]]


def make_ranker(names: tuple[str, ...] = FEATURE_NAMES) -> Ranker:
    """Trees that order by the first feature."""
    rng = np.random.default_rng(1)
    matrix = rng.random((400, len(names))).astype(np.float32)
    dataset = lightgbm.Dataset(matrix, label=matrix[:, 0].copy(), feature_name=list(names))
    parameters = {"objective": "regression", "num_leaves": 4, "verbose": -1, "num_threads": 1}
    return Ranker("", 0, lightgbm.train(parameters, dataset, num_boost_round=5))


def read_back(root: Path, write: Write, *, schema: int = FEATURE_SCHEMA_VERSION) -> Ranker:
    version = publish(
        root,
        {RANKER_PART: write},
        now_ms=1,
        trained_until_ms=7,
        feature_schema_version=schema,
    )
    store = BundleStore(root)
    return Ranker.read(store.open_part(version, RANKER_PART), store.manifest(version))


def test_a_ranker_reads_back_to_the_same_scores(tmp_path: Path) -> None:
    ranker = make_ranker()
    matrix = np.random.default_rng(2).random((50, len(FEATURE_NAMES))).astype(np.float32)
    loaded = read_back(tmp_path, ranker.write)
    assert loaded.trained_until_ms == 7
    assert loaded.score(matrix).tobytes() == ranker.score(matrix).tobytes()
    assert loaded.score(matrix).dtype == np.float32


def test_a_row_scores_the_same_whichever_others_there_are() -> None:
    ranker = make_ranker()
    matrix = np.random.default_rng(2).random((50, len(FEATURE_NAMES))).astype(np.float32)
    assert ranker.score(matrix)[7] == ranker.score(matrix[7:8])[0]


def test_no_rows_have_no_scores() -> None:
    assert make_ranker().score(np.empty((0, len(FEATURE_NAMES)), np.float32)).shape == (0,)


def test_an_explanation_names_what_raised_the_score() -> None:
    matrix = np.full((2, len(FEATURE_NAMES)), 0.5, np.float32)
    matrix[:, 0] = (0.99, 0.01)
    high, low = make_ranker().explain(matrix, 3)
    assert [reason.feature for reason in high] == [FEATURES[0]]
    assert high[0].added > 0
    assert FEATURES[0] not in [reason.feature for reason in low]
    assert make_ranker().explain(matrix[:0], 3) == []


def test_a_ranker_of_other_features_is_refused(tmp_path: Path) -> None:
    def write(folder: Path) -> Mapping[str, tuple[int, ...]]:
        make_ranker().write(folder)
        names = ["other", *FEATURE_NAMES[1:]]
        (folder / "features.json").write_text(json.dumps(names))
        return {}

    with pytest.raises(BundleRejected, match="other"):
        read_back(tmp_path, write)


def test_trees_of_other_features_than_the_list_says_are_refused(tmp_path: Path) -> None:
    def write(folder: Path) -> Mapping[str, tuple[int, ...]]:
        return make_ranker((*FEATURE_NAMES[1:], FEATURE_NAMES[0])).write(folder)

    with pytest.raises(BundleRejected, match=r"trees\.txt"):
        read_back(tmp_path, write)


def test_a_ranker_of_another_feature_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRejected, match="schema"):
        read_back(tmp_path, make_ranker().write, schema=FEATURE_SCHEMA_VERSION + 1)


def test_trees_that_are_no_trees_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def write(folder: Path) -> Mapping[str, tuple[int, ...]]:
        make_ranker().write(folder)
        (folder / "trees.txt").write_text("no trees")
        return {}

    with pytest.raises(BundleRejected, match=r"trees\.txt"):
        read_back(tmp_path, write)
