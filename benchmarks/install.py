"""How much disk the installation takes, with and without what only training needs."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console


def run() -> dict[str, Any]:
    """Measure the running environment, and a fresh one that can only serve."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run(
            [f"{folder}/bin/pip", "install", "--quiet", "--constraint", "constraints.txt", "."],
            check=True,
        )
        serving = _megabytes(Path(folder))
    figures = {"serving_mb": serving, "with_training_and_tools_mb": _megabytes(Path(sys.prefix))}
    Console().print(
        f"installed: {figures['serving_mb']:,.0f} MB to serve,"
        f" {figures['with_training_and_tools_mb']:,.0f} MB with training and tools"
    )
    return figures


def _megabytes(folder: Path) -> float:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_blocks * 512 for path in files) / 1e6
