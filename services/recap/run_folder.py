"""The folder of a run of the batch: files that are there whole or not at all, and one writer."""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Final

import polars as pl

from libs.faults import StartFault

_RUN: Final = "run.json"
_MAKING: Final = ".part"


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else writes in this folder; raises StartFault where somebody does."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StartFault(f"{path} is being written by another process") from None
    else:
        yield
    finally:
        os.close(handle)


def begin(path: Path, run_id: str, frames: Mapping[str, pl.DataFrame]) -> None:
    """Make a folder the run's, or find that it is; raises StartFault for another's.

    Its `frames` by name are there where run.json is; what was killed before that begins anew.
    """
    own = {f"{name}{ending}" for name in frames for ending in (".parquet", _MAKING)}
    own.add(Path(_RUN).with_suffix(_MAKING).name)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with alone(path):
            is_begun = (path / _RUN).exists()
            if is_begun:
                found = _run_id(path / _RUN)
                if found != run_id:
                    raise StartFault(f"{path} holds run {found}; this one is {run_id}")
            elif not {one.name for one in path.iterdir()} <= own:
                raise StartFault(f"{path} is neither empty nor a run")
            for name, frame in frames.items():
                if not (is_begun and (path / f"{name}.parquet").exists()):
                    write_frame(path / f"{name}.parquet", frame)
            if not is_begun:
                write_text(path / _RUN, json.dumps({"run_id": run_id}))
    except OSError as error:
        raise StartFault(f"cannot write {path}: {error.strerror}") from error


def _run_id(path: Path) -> str:
    try:
        return str(json.loads(path.read_text())["run_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise StartFault(f"{path} is damaged: {error}") from None


def read_frame(path: Path) -> pl.DataFrame:
    """A file of a run; raises StartFault for a damaged one."""
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        cause = str(error).splitlines()[0]
        raise StartFault(f"{path} is damaged: {cause}; deleted, it is made anew") from None


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Have a file of a run whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    _publish(path, frame.write_parquet)


def write_text(path: Path, text: str) -> None:
    """Have a file of a run whole or not at all."""
    _publish(path, lambda file: file.write(text.encode()))


def _publish(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    making = path.with_suffix(_MAKING)
    with making.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    making.rename(path)
