from collections.abc import Mapping
from pathlib import Path

import pytest

from libs.artifacts.bundle import BundleStore, publish
from libs.artifacts.hot_swap import Loaded, Rejection
from libs.artifacts.manifest import BundleRejected, Manifest


def publish_text(root: Path, text: str, *, now_ms: int) -> str:
    def write(folder: Path) -> Mapping[str, tuple[int, ...]]:
        (folder / "model.txt").write_text(text)
        return {}

    return publish(
        root, {"ranker": write}, now_ms=now_ms, trained_until_ms=0, feature_schema_version=1
    )


def read(folder: Path, manifest: Manifest) -> str:
    return (folder / "model.txt").read_text()


@pytest.fixture
def rejections() -> list[Rejection]:
    return []


@pytest.fixture
def loaded(tmp_path: Path, rejections: list[Rejection]) -> Loaded[str]:
    return Loaded(BundleStore(tmp_path), "ranker", read, on_reject=rejections.append)


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[0] ^= 1
    file.write_bytes(data)


def test_nothing_published_loads_nothing(loaded: Loaded[str]) -> None:
    assert not loaded.refresh()
    assert loaded.current is None
    assert loaded.rejection is None


def test_a_new_version_is_swapped_in_and_the_one_before_is_kept(
    tmp_path: Path, loaded: Loaded[str]
) -> None:
    versions = []
    for step, text in enumerate(("one", "two", "three")):
        versions.append(publish_text(tmp_path, text, now_ms=step))
        assert loaded.refresh()
        assert not loaded.refresh()
        assert loaded.current == text
    assert loaded.versions == (versions[2], versions[1])
    assert loaded.of_version(versions[1]) == "two"
    assert loaded.of_version(versions[0]) is None


def test_a_damaged_bundle_is_refused_once_and_the_old_one_stays(
    tmp_path: Path, loaded: Loaded[str], rejections: list[Rejection]
) -> None:
    good = publish_text(tmp_path, "good", now_ms=1)
    loaded.refresh()
    bad = publish_text(tmp_path, "bad", now_ms=2)
    flip(tmp_path / bad / "ranker" / "model.txt")
    for _ in range(3):
        assert not loaded.refresh()
    assert loaded.current == "good"
    assert loaded.versions == (good,)
    assert loaded.rejected_count == 1
    assert [rejection.version for rejection in rejections] == [bad]
    assert "model.txt" in rejections[0].reason


def test_a_repaired_bundle_is_loaded_without_a_restart(tmp_path: Path, loaded: Loaded[str]) -> None:
    version = publish_text(tmp_path, "text", now_ms=1)
    file = tmp_path / version / "ranker" / "model.txt"
    file.rename(tmp_path / "aside")
    assert not loaded.refresh()
    assert loaded.rejection is not None
    (tmp_path / "aside").rename(file)
    assert loaded.refresh()
    assert loaded.current == "text"
    assert loaded.rejection is None


def test_a_loader_may_refuse_too(tmp_path: Path) -> None:
    def refuse(folder: Path, manifest: Manifest) -> str:
        raise BundleRejected(folder / "model.txt", "has features of another schema")

    publish_text(tmp_path, "text", now_ms=1)
    loaded = Loaded(BundleStore(tmp_path), "ranker", refuse)
    assert not loaded.refresh()
    assert loaded.rejection is not None
    assert "another schema" in loaded.rejection.reason


def test_an_unreadable_pointer_leaves_the_old_one(tmp_path: Path, loaded: Loaded[str]) -> None:
    publish_text(tmp_path, "good", now_ms=1)
    loaded.refresh()
    (tmp_path / "CURRENT").write_text("rubbish")
    assert not loaded.refresh()
    assert loaded.current == "good"
    assert loaded.rejection is not None
    assert loaded.rejected_count == 1
