"""`python -m benchmarks [NAME ...]`: run all benchmarks, or those named."""

import importlib
import json
import sys
from pathlib import Path

from libs.faults import StartFault

NAMES = (
    "start",
    "recommend",
    "events",
    "harness",
    "diversity",
    "matrix",
    "install",
    "load",
    "overload",
    "restart",
    "rebuild",
    "recap",
    "compaction",
    "compaction_servers",
    "hours",
    "servers",
    "households",
    "story",
    "quiz",
    "share_images",
    "quiz_service",
)


def main(names: list[str]) -> int:
    """Run each and write what it returns to var/benchmarks/<name>.json; the exit code."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}\n")
        return 2
    folder = Path("var/benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or NAMES:
        try:
            figures = importlib.import_module(f"benchmarks.{name}").run()
        except StartFault as fault:
            sys.stderr.write(f"{name}: {fault}\n")
            return 1
        (folder / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
