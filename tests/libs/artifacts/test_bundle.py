import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from libs.artifacts.bundle import BundleStore, publish
from libs.artifacts.manifest import BundleRejected

NOW_MS = 1_700_000_000_000

# Every file of the bundle that `publish_small` writes, from its version's folder.
FILES = (
    "manifest.json",
    "manifest.sha256",
    "retrieval/vectors.npy",
    "retrieval/ids.json",
    "ranker/trees.txt",
)


def write_retrieval(folder: Path) -> Mapping[str, tuple[int, ...]]:
    np.save(folder / "vectors.npy", np.arange(12, dtype=np.float32).reshape(4, 3))
    (folder / "ids.json").write_text('["a", "b", "c", "d"]')
    return {"vectors.npy": (4, 3), "ids.json": (4,)}


def write_ranker(folder: Path) -> Mapping[str, tuple[int, ...]]:
    (folder / "trees.txt").write_text("tree\n" * 40)
    return {}


def publish_small(root: Path, *, now_ms: int = NOW_MS) -> str:
    return publish(
        root,
        {"retrieval": write_retrieval, "ranker": write_ranker},
        now_ms=now_ms,
        trained_until_ms=NOW_MS - 1,
        feature_schema_version=1,
    )


def open_all(store: BundleStore, version: str) -> None:
    for part in ("retrieval", "ranker"):
        store.open_part(version, part)


def test_a_published_bundle_is_current_and_opens(tmp_path: Path) -> None:
    version = publish_small(tmp_path)
    store = BundleStore(tmp_path)
    assert store.current_version() == version
    folder = store.open_part(version, "retrieval")
    assert np.load(folder / "vectors.npy").shape == (4, 3)


def test_the_manifest_lists_every_file_with_size_and_shape(tmp_path: Path) -> None:
    version = publish_small(tmp_path)
    manifest = BundleStore(tmp_path).manifest(version)
    assert manifest.trained_until_ms == NOW_MS - 1
    assert manifest.feature_schema_version == 1
    listed = {f"{part}/{name}" for part, files in manifest.parts.items() for name in files}
    assert listed == set(FILES) - {"manifest.json", "manifest.sha256"}
    assert manifest.parts["retrieval"]["vectors.npy"].shape == (4, 3)
    for part, files in manifest.parts.items():
        for name, entry in files.items():
            assert entry.size == (tmp_path / version / part / name).stat().st_size


def test_nothing_published_has_no_current_version(tmp_path: Path) -> None:
    assert BundleStore(tmp_path / "nowhere").current_version() is None


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_one_flipped_bit_is_refused(tmp_path: Path, name: str, place: float) -> None:
    version = publish_small(tmp_path)
    file = tmp_path / version / name
    data = bytearray(file.read_bytes())
    data[round(place * (len(data) - 1))] ^= 1
    file.write_bytes(data)
    with pytest.raises(BundleRejected, match=Path(name).name):
        open_all(BundleStore(tmp_path), version)


def test_a_flipped_bit_anywhere_in_the_manifest_is_refused(tmp_path: Path) -> None:
    version = publish_small(tmp_path)
    file = tmp_path / version / "manifest.json"
    good = file.read_bytes()
    for index in range(len(good)):
        data = bytearray(good)
        data[index] ^= 1 << index % 8
        file.write_bytes(data)
        with pytest.raises(BundleRejected):
            BundleStore(tmp_path).manifest(version)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_refused(tmp_path: Path, name: str) -> None:
    version = publish_small(tmp_path)
    file = tmp_path / version / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BundleRejected, match=Path(name).name):
        open_all(BundleStore(tmp_path), version)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    version = publish_small(tmp_path)
    (tmp_path / version / name).unlink()
    with pytest.raises(BundleRejected, match=Path(name).name):
        open_all(BundleStore(tmp_path), version)


def test_an_extra_file_is_refused(tmp_path: Path) -> None:
    version = publish_small(tmp_path)
    (tmp_path / version / "ranker" / "more.txt").write_text("")
    with pytest.raises(BundleRejected, match=r"more\.txt"):
        BundleStore(tmp_path).open_part(version, "ranker")


def test_a_missing_part_is_refused_and_the_other_still_opens(tmp_path: Path) -> None:
    version = publish_small(tmp_path)
    shutil.rmtree(tmp_path / version / "ranker")
    store = BundleStore(tmp_path)
    with pytest.raises(BundleRejected, match="ranker"):
        store.open_part(version, "ranker")
    store.open_part(version, "retrieval")


def test_a_renamed_version_is_refused(tmp_path: Path) -> None:
    version = publish_small(tmp_path)
    other = version[:-8] + "00000000"
    (tmp_path / version).rename(tmp_path / other)
    with pytest.raises(BundleRejected, match=version):
        BundleStore(tmp_path).manifest(other)


@pytest.mark.parametrize("pointer", [b"", b"../elsewhere\n", b"\xff\xfe", b"20261121\n"])
def test_a_pointer_that_names_no_version_is_refused(tmp_path: Path, pointer: bytes) -> None:
    publish_small(tmp_path)
    (tmp_path / "CURRENT").write_bytes(pointer)
    with pytest.raises(BundleRejected, match="CURRENT"):
        BundleStore(tmp_path).current_version()


def test_versions_sort_by_time_and_the_current_and_two_before_are_kept(tmp_path: Path) -> None:
    published = [publish_small(tmp_path, now_ms=NOW_MS + step) for step in (0, 1, 999, 1000, 10**9)]
    assert published == sorted(published)
    assert len(set(published)) == 5
    store = BundleStore(tmp_path)
    assert store.versions() == tuple(reversed(published[-3:]))
    assert store.current_version() == published[-1]


def test_different_content_at_one_moment_gets_different_versions(tmp_path: Path) -> None:
    def write_other(folder: Path) -> Mapping[str, tuple[int, ...]]:
        (folder / "trees.txt").write_text("other")
        return {}

    first = publish_small(tmp_path)
    second = publish(
        tmp_path,
        {"ranker": write_other},
        now_ms=NOW_MS,
        trained_until_ms=0,
        feature_schema_version=1,
    )
    assert first != second
    assert BundleStore(tmp_path).current_version() == second


def test_publishing_the_same_bytes_at_one_moment_is_harmless(tmp_path: Path) -> None:
    assert publish_small(tmp_path) == publish_small(tmp_path)
    open_all(BundleStore(tmp_path), BundleStore(tmp_path).current_version() or "")


def test_an_aborted_publish_leaves_nothing_visible(tmp_path: Path) -> None:
    def write_half(folder: Path) -> Mapping[str, tuple[int, ...]]:
        (folder / "half.bin").write_bytes(b"half")
        raise OSError("no space left on device")

    version = publish_small(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(OSError, match="no space"):
        publish(
            tmp_path,
            {"retrieval": write_retrieval, "ranker": write_half},
            now_ms=NOW_MS + 1,
            trained_until_ms=0,
            feature_schema_version=1,
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert BundleStore(tmp_path).current_version() == version


def test_what_a_killed_publisher_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".staging-1"
    left.mkdir()
    (left / "half.bin").write_bytes(b"half")
    assert BundleStore(tmp_path).versions() == ()
    version = publish_small(tmp_path)
    assert not left.exists()
    assert BundleStore(tmp_path).versions() == (version,)
