from collections.abc import Mapping
from pathlib import Path

from cli.offline import read_bundle
from libs.artifacts.bundle import BundleStore, PartWriter, publish
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.models.ranker import RANKER_PART
from libs.models.retrieval_model import RETRIEVAL_PART
from tests.made_bundle import NOW_MS, ranker, retrieval


def published(root: Path, parts: Mapping[str, PartWriter]) -> BundleStore:
    publish(
        root,
        parts,
        now_ms=NOW_MS,
        trained_until_ms=NOW_MS - 1,
        feature_schema_version=FEATURE_SCHEMA_VERSION,
    )
    return BundleStore(root)


def test_a_bundle_has_both_models(tmp_path: Path) -> None:
    parts = {RETRIEVAL_PART: retrieval().write, RANKER_PART: ranker().write}
    bundle = read_bundle(published(tmp_path, parts))
    assert bundle is not None
    assert bundle.ranker is not None
    assert bundle.ranker.version == bundle.retrieval.version


def test_a_bundle_without_a_ranker_is_a_bundle(tmp_path: Path) -> None:
    bundle = read_bundle(published(tmp_path, {RETRIEVAL_PART: retrieval().write}))
    assert bundle is not None
    assert bundle.ranker is None
    assert bundle.retrieval.title_count == 60


def test_nothing_published_is_no_bundle(tmp_path: Path) -> None:
    assert read_bundle(BundleStore(tmp_path)) is None
