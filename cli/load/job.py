"""What one client process is told, and what it tells at the end."""

import base64
import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cli.load.method import Method
from cli.load.plan import LoadPlan, Tls
from cli.load.requests import Row


@dataclass(frozen=True, slots=True)
class Job:
    """The share of client process `index`: request numbers index, index + processes, ..."""

    plan: LoadPlan
    method: Method
    rows: tuple[Row, ...]
    index: int

    @property
    def concurrency(self) -> int:
        """Its callers: the plan's, dealt out."""
        share, rest = divmod(self.plan.concurrency, self.plan.processes)
        return share + (self.index < rest)

    @property
    def connections(self) -> int:
        """Its connections: the plan's, dealt out, but at least one."""
        share, rest = divmod(self.plan.connections, self.plan.processes)
        return max(1, share + (self.index < rest))

    @property
    def core(self) -> int | None:
        """Where this process is to run; None is anywhere."""
        return self.plan.cores[self.index % len(self.plan.cores)] if self.plan.cores else None

    def dump(self) -> bytes:
        """The job as one line."""
        value = dataclasses.asdict(self)
        value["method"]["files"] = base64.b64encode(self.method.files).decode()
        return json.dumps(value, default=str).encode() + b"\n"

    @staticmethod
    def load(line: bytes) -> "Job":
        """The job of a line."""
        value = json.loads(line)
        plan, method = value["plan"], value["method"]
        plan["cores"] = tuple(plan["cores"])
        plan["metadata"] = tuple((key, text) for key, text in plan["metadata"])
        if plan["tls"] is not None:
            plan["tls"] = Tls(**{name: path and Path(path) for name, path in plan["tls"].items()})
        method["files"] = base64.b64decode(method["files"])
        rows = tuple(tuple(row) for row in value["rows"])
        return Job(LoadPlan(**plan), Method(**method), rows, value["index"])


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """What happened to n calls; times are seconds since the start of the run."""

    scheduled_s: NDArray[np.float64]  # (n,): when it should have left; open loop by the clock
    sent_s: NDArray[np.float64]  # (n,)
    ended_s: NDArray[np.float64]  # (n,)
    codes: NDArray[np.int64]  # (n,): canonical status codes

    @property
    def latencies_s(self) -> NDArray[np.float64]:
        """(n,): from the scheduled time to the end."""
        return self.ended_s - self.scheduled_s

    @staticmethod
    def join(parts: list["Calls"]) -> "Calls":
        """All calls in the order of their scheduled times."""
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS]
        order = np.argsort(columns[0], kind="stable")
        return Calls(*(column[order] for column in columns))

    @staticmethod
    def of(rows: list[tuple[float, float, float, int]]) -> "Calls":
        """The columns of rows."""
        columns = np.array(rows, np.float64).reshape(-1, len(_COLUMNS)).T
        return Calls(columns[0], columns[1], columns[2], columns[3].astype(np.int64))


_COLUMNS = ("scheduled_s", "sent_s", "ended_s", "codes")


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What one client process did, and what that cost it."""

    calls: Calls
    errors: dict[str, int]  # how often each status text came
    unsent: int  # arrivals of an open loop that never left, for want of the client's own time
    sending_s: float  # how long calls were begun
    cpu_s: float  # CPU of this process in that time
    core_idle_share: float | None  # of the core that it was pinned to, in that time

    def write(self, stream: BinaryIO) -> None:
        """Write it for `read`."""
        head = {name: getattr(self, name) for name in _HEAD}
        stream.write(json.dumps(head).encode() + b"\n")
        columns = {name: getattr(self.calls, name) for name in _COLUMNS}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **columns)
        stream.write(buffer.getvalue())
        stream.flush()

    @staticmethod
    def read(data: bytes) -> "Report":
        """What was written."""
        line, _, arrays = data.partition(b"\n")
        head: dict[str, Any] = json.loads(line)
        with np.load(io.BytesIO(arrays), allow_pickle=False) as columns:
            return Report(Calls(*(columns[name] for name in _COLUMNS)), **head)


_HEAD = ("errors", "unsent", "sending_s", "cpu_s", "core_idle_share")
