"""Arrays of a bundle, as they lie on disk."""

from pathlib import Path

import numpy as np
import pytest

from libs.models.array_files import map_array


def test_an_array_is_mapped_as_it_was_written(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.float32).reshape(2, 3))

    found = map_array(tmp_path / "a.npy")

    assert type(found) is np.ndarray
    assert not found.flags.writeable
    assert found.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)

    with pytest.raises(ValueError, match="Python objects"):
        map_array(tmp_path / "a.npy")
