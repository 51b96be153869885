"""Arrays of a bundle, as they lie on disk."""

import threading
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# numpy parses a file's header with ast.literal_eval, and before Python 3.11.8 two threads that
# parse at once can fail with "SystemError: AST constructor recursion depth mismatch"
# (https://github.com/python/cpython/issues/106905). Bundles are loaded on threads.
_ONE_HEADER_AT_A_TIME: Final = threading.Lock()


def map_array(file: Path) -> NDArray[Any]:
    """The array in an .npy `file`, mapped and not read; raises OSError and ValueError."""
    with _ONE_HEADER_AT_A_TIME:
        mapped = np.load(file, mmap_mode="r", allow_pickle=False)
    # asarray drops the memmap class, whose indexing is slow, and keeps the mapping.
    return np.asarray(mapped)
