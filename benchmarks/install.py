"""How much disk the installation takes, with and without what only training needs."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from rich.console import Console

# What the images of services are installed with, and what they leave out of it.
_SERVING: Final = ".[server]"
_NOT_IN_IMAGES: Final = frozenset({"pip", "tests"})


def run() -> dict[str, Any]:
    """Measure the running environment, and a fresh one that can only serve."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run(
            [
                f"{folder}/bin/pip",
                "install",
                "--quiet",
                "--constraint",
                "constraints.txt",
                _SERVING,
            ],
            check=True,
        )
        serving, in_image = _megabytes(Path(folder)), _megabytes(Path(folder), _NOT_IN_IMAGES)
    figures = {
        "serving_mb": serving,
        "in_image_mb": in_image,
        "with_training_and_tools_mb": _megabytes(Path(sys.prefix)),
    }
    Console().print(
        f"installed: {figures['serving_mb']:,.0f} MB to serve, {figures['in_image_mb']:,.0f} of it"
        f" in an image, {figures['with_training_and_tools_mb']:,.0f} MB with training and tools"
    )
    return figures


def _megabytes(folder: Path, without: frozenset[str] = frozenset()) -> float:
    """Of all files but those in folders of these names."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    kept = (path for path in files if without.isdisjoint(path.parts))
    return sum(path.stat().st_blocks * 512 for path in kept) / 1e6
