"""A process that answers lines of JSON with lines, started again when it was killed."""

import json
import subprocess
import sys
from typing import Any


class Replica:
    """`python -m module arguments`, from the line on by which it says that it has begun."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = (sys.executable, "-m", module, *arguments)
        self._process: subprocess.Popen[str] | None = None
        self.kill_count = 0

    def __enter__(self) -> "Replica":
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0

    def write(self, call: Any) -> None:
        """Send a call, and do not wait for what it is told."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()

    def read(self) -> str:
        """The next line of what it says."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the replica has ended by itself"
        return line.rstrip("\n")

    def kill(self) -> None:
        """Kill it wherever it is, and start another in its place."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()
        self.kill_count += 1
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.read()
