"""The figures of a run, under ghz's names and our own, and how people see them."""

import datetime as dt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from cli.console import Output
from cli.load.generator import LoadRun
from cli.load.job import Calls
from cli.load.method import split_call

# A call of an open loop that left later than this after its time is counted as late.
LATE_S: Final = 0.010
PERCENTILES: Final = (10, 25, 50, 75, 90, 95, 99, 99.9)
_BUCKETS: Final = 10
_BAR: Final = 40

_OK: Final = 0
# How a full server refuses: with a status of its own, or by gRPC before any handler. The
# generator cancels nothing but streams that it has read enough of, which count as OK.
_OVERLOADED: Final = (8, 1)
# The canonical codes by the names that ghz gives them.
_NAMES: Final = (
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
)


def figures(run: LoadRun, *, with_details: bool = False) -> dict[str, Any]:
    """The figures as ghz writes them, and ours.

    Times are nanoseconds, as in ghz, but for the marks of the histogram (seconds). `average` is
    of all calls; fastest, slowest, the distribution and the histogram are of calls that ended OK.
    Ours: offered (calls that were due), sent, late (left over LATE_S after their time),
    overloaded, goodputRps (OK within the measured time, per second of it), idleShare (of the
    generator's core: a run with little left measures the generator).
    """
    calls = run.calls
    latencies = calls.latencies_s
    ok = np.sort(latencies[calls.codes == _OK])
    sent = len(latencies)
    value = {
        "date": dt.datetime.fromtimestamp(run.began_at_s, dt.UTC).isoformat(),
        "endReason": "timeout" if _ended_by_time(run) else "normal",
        "options": _options(run),
        "count": sent,
        "total": _ns(run.total_s),
        "average": _ns(float(latencies.mean()) if sent else 0.0),
        "fastest": _ns(float(ok[0]) if len(ok) else 0.0),
        "slowest": _ns(float(ok[-1]) if len(ok) else 0.0),
        "rps": sent / run.total_s if run.total_s else 0.0,
        "errorDistribution": dict(sorted(run.errors.items())),
        "statusCodeDistribution": _statuses(calls),
        "latencyDistribution": [
            {"percentage": percentage, "latency": _ns(percentile_s(ok, percentage))}
            for percentage in PERCENTILES
        ]
        if len(ok)
        else [],
        "histogram": _histogram(ok),
        "offered": sent + run.unsent,
        "sent": sent,
        "late": int((calls.sent_s - calls.scheduled_s > LATE_S).sum()),
        "overloaded": int(np.isin(calls.codes, _OVERLOADED).sum()),
        "goodputRps": goodput_rps(run),
        "idleShare": run.idle_share,
        "generatorCpu": _ns(run.cpu_s),
    }
    return {**value, "details": _details(run)} if with_details else value


def goodput_rps(run: LoadRun) -> float:
    """Calls that ended OK within the measured time, per second of it."""
    is_good = (run.calls.codes == _OK) & (run.calls.ended_s <= run.window_s)
    return int(is_good.sum()) / run.window_s if run.window_s else 0.0


def percentile_s(latencies: NDArray[np.float64], percentage: float) -> float:
    """The smallest latency that so many percent do not pass (nearest rank)."""
    return float(np.percentile(latencies, percentage, method="inverted_cdf"))


def _ended_by_time(run: LoadRun) -> bool:
    return run.plan.duration_s is not None and len(run.calls.codes) != run.plan.total


def _statuses(calls: Calls) -> dict[str, int]:
    codes, counts = np.unique(calls.codes, return_counts=True)
    return {
        _NAMES[code]: count for code, count in zip(codes.tolist(), counts.tolist(), strict=True)
    }


def _histogram(ok: NDArray[np.float64]) -> list[dict[str, float]]:
    """Counts up to each mark, the first of which is the fastest call."""
    if not len(ok):
        return []
    marks = np.linspace(ok[0], ok[-1], _BUCKETS + 1)
    marks[-1] = ok[-1]
    below = np.searchsorted(ok, marks, side="right")
    counts = np.diff(below, prepend=0)
    return [
        {"mark": mark, "count": count, "frequency": count / len(ok)}
        for mark, count in zip(marks.tolist(), counts.tolist(), strict=True)
    ]


def _options(run: LoadRun) -> dict[str, Any]:
    """What was asked for; of metadata only the names, since values may be secrets."""
    plan = run.plan
    return {
        "call": plan.call,
        "host": plan.target,
        "insecure": plan.tls is None,
        "async": plan.is_open_loop,
        "load-schedule": "const",
        "load-start": plan.rate,
        "concurrency": plan.concurrency,
        "total": plan.total,
        "connections": plan.connections,
        "duration": None if plan.duration_s is None else _ns(plan.duration_s),
        "timeout": _ns(plan.timeout_s),
        "metadata": [name for name, _ in plan.metadata],
        "processes": plan.processes,
        "cores": list(plan.cores),
        "seed": plan.seed,
    }


def _details(run: LoadRun) -> list[dict[str, Any]]:
    calls = run.calls
    return [
        {
            "timestamp": dt.datetime.fromtimestamp(
                run.began_at_s + scheduled_s, dt.UTC
            ).isoformat(),
            "latency": _ns(latency_s),
            "status": _NAMES[code],
        }
        for scheduled_s, latency_s, code in zip(
            calls.scheduled_s.tolist(),
            calls.latencies_s.tolist(),
            calls.codes.tolist(),
            strict=True,
        )
    ]


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def show(run: LoadRun, output: Output, *, with_details: bool = False) -> None:
    """Show a run: all keys to a program, what matters to a person."""
    value = figures(run, with_details=with_details)
    if not output.as_json:
        output.say(_headline(run))
    output.result(value, _summary(value))
    if output.as_json:
        return
    if value["histogram"]:
        output.console.print(_histogram_table(value))
    statuses = value["statusCodeDistribution"].items()
    output.say("  ".join(f"[bold]{name}[/] {count:,}" for name, count in statuses))
    for text, count in value["errorDistribution"].items():
        output.console.print(f"{count:,} × {text}", markup=False, style="yellow")


def _headline(run: LoadRun) -> str:
    service, name = split_call(run.plan.call)
    loop = (
        f"closed loop, concurrency {run.plan.concurrency}"
        if run.plan.rate is None
        else f"open loop, {run.plan.rate:,g}/s"
    )
    return f"[bold]{service.rpartition('.')[2]}/{name}[/] at {run.plan.target} ({loop})"


def _summary(value: dict[str, Any]) -> Table:
    table = Table(show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("calls", f"{value['count']:,}")
    if value["options"]["async"]:
        table.add_row("offered / late", f"{value['offered']:,} / {value['late']:,}")
    table.add_row("time", f"{value['total'] / 1e9:.2f} s")
    table.add_row("calls/s", f"{value['rps']:,.1f}")
    table.add_row("OK/s", f"{value['goodputRps']:,.1f}")
    if value["overloaded"]:
        table.add_row("overloaded", f"{value['overloaded']:,}")
    for name in ("fastest", "average", "slowest"):
        table.add_row(name, f"{value[name] / 1e6:,.2f} ms")
    for row in value["latencyDistribution"]:
        table.add_row(f"p{row['percentage']:g}", f"{row['latency'] / 1e6:,.2f} ms")
    table.add_row("generator idle", f"{value['idleShare']:.0%}")
    return table


def _histogram_table(value: dict[str, Any]) -> Table:
    most = max(bucket["count"] for bucket in value["histogram"])
    table = Table(show_header=False, box=None)
    table.add_column(justify="right")
    table.add_column(justify="right", style="dim")
    table.add_column()
    for bucket in value["histogram"]:
        bar = "■" * round(_BAR * bucket["count"] / most)
        table.add_row(f"{bucket['mark'] * 1e3:,.2f} ms", f"{bucket['count']:,}", bar)
    return table
