"""The events service as processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def started(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "services.events"],
        env={**os.environ, "REPRISE_HOME": str(home), "REPRISE_PORT_BASE": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_writer_on_the_same_home_says_so_in_one_line(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        assert first.stdout is not None
        while "listening" not in first.stdout.readline():
            assert first.poll() is None
        with started(tmp_path) as second:
            _, said = second.communicate(timeout=20)
        assert second.returncode == 1
        assert said.startswith("events: ")
        assert "is already written by another process" in said
        assert said.count("\n") == 1
        first.send_signal(signal.SIGTERM)
        _, said = first.communicate(timeout=20)
    assert first.returncode == 0
    assert said == ""


def test_more_than_one_worker_is_refused_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.events"],
        env={**os.environ, "REPRISE_HOME": str(tmp_path), "REPRISE_WORKERS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "REPRISE_WORKERS" in line
    assert "one process" in line


def test_starting_imports_nothing_of_training() -> None:
    code = (
        "import sys, services.events.__main__\n"
        "sys.exit(str({'torch', 'scipy', 'lightgbm', 'faiss'} & set(sys.modules) or ''))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.stderr.strip() == ""
