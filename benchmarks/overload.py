"""Recommend at several times what it can bear: what is still answered, how fast, and after.

All services share one core, the generator has another. Peak and overload are counted the same
way: calls that ended OK within the measured time, per second of it. A probe of a few calls a
second runs beside the flood and past it: its bad calls after the flood tell the recovery.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from grpc_health.v1 import health_pb2
from rich.console import Console
from rich.table import Table

from benchmarks.cores import started_on, two_cores
from benchmarks.machine import machine
from cli.load.generator import Generator, LoadRun, prepared
from cli.load.method import Method, known_method
from cli.load.plan import LoadPlan
from cli.load.report import figures, goodput_rps, percentile_s
from cli.load.requests import Row, parse_rows
from cli.suite import SERVICES, Suite, target, with_free_ports
from libs.serving.settings import SuiteSettings
from libs.storage.log_reader import LogReader
from reprise.ranking.v1 import ranking_pb2

RECOMMEND: Final = "reprise.ranking.v1.RankingService/Recommend"
HEALTH: Final = "grpc.health.v1.Health/Check"
LIMIT: Final = 20
TIMEOUT_S: Final = 1.0
PEAK_CALLERS: Final = (2, 4, 8)
WARM_UP_S: Final = 2.0
PEAK_S: Final = 5.0
NORMAL_SHARE: Final = 0.6
FLOOD_S: Final = 10.0
BEFORE_S: Final = 2.0  # the probe runs so long before the flood
AFTER_S: Final = 8.0
PROBE_RATE: Final = 20.0
HEALTH_RATE: Final = 5.0
FACTORS: Final = (2.5, 5.0)

# What must hold; a run whose generator had less than this of its core left is void.
LEAST_GOODPUT: Final = {2.5: 0.75, 5.0: 0.60}
LEAST_IDLE: Final = 0.10
MOST_RECOVERY_S: Final = 5.0
SLOW_S: Final = 0.250
SLOW_TIMES: Final = 5.0

_OK: Final = 0


@dataclass(frozen=True)
class Bench:
    """The services under load and how they are called."""

    target: str
    health_target: str
    core: int
    method: Method
    rows: tuple[Row, ...]

    def recommend(self, **options: Any) -> AbstractContextManager[Generator]:
        """A generator that loads Recommend."""
        plan = self._plan(self.target, RECOMMEND, connections=4, **options)
        return prepared(plan, self.method, self.rows)

    def health(self, **options: Any) -> AbstractContextManager[Generator]:
        """A generator that asks whether ranking's process lives."""
        plan = self._plan(self.health_target, HEALTH, **options)
        method = known_method(HEALTH, health_pb2.HealthCheckRequest)
        return prepared(plan, method, [('{"service": ""}',)])

    def _plan(self, where: str, call: str, **options: Any) -> LoadPlan:
        return LoadPlan(target=where, call=call, cores=(self.core,), timeout_s=TIMEOUT_S, **options)


def run() -> dict[str, Any]:
    """Measure on the data and bundle in var/; returns the figures that it prints."""
    server_core, client_core = two_cores()
    settings = with_free_ports(SuiteSettings())
    profiles = LogReader(settings.events_path).profiles("default")
    method = known_method(RECOMMEND, ranking_pb2.RecommendRequest)
    data = [f'{{"profile_id":"{profile.profile_id}","limit":{LIMIT}}}' for profile in profiles]
    suite = Suite(settings)
    try:
        with started_on(server_core):
            for spec in SERVICES:
                suite.start_one(spec.name)
        suite.wait_ready()
        where = target(settings, "ranking")
        bench = Bench(
            target=where,
            # Where health has a port of its own, that is the one that must answer.
            health_target=getattr(settings, "ranking_health_target", where),
            core=client_core,
            method=method,
            rows=parse_rows("\n".join(data), method),
        )
        measured = _measure(bench)
    finally:
        suite.stop()
    value = {"machine": machine(), **measured}
    _show(value)
    return value


def _measure(bench: Bench) -> dict[str, Any]:
    _run(bench.recommend(duration_s=WARM_UP_S, concurrency=4))
    closed = [_run(bench.recommend(duration_s=PEAK_S, concurrency=count)) for count in PEAK_CALLERS]
    peak = max(goodput_rps(one) for one in closed)
    normal = _run(bench.recommend(duration_s=PEAK_S, rate=NORMAL_SHARE * peak))
    normal_p99_s = percentile_s(_ok_latencies(normal), 99)
    slow_s = max(SLOW_TIMES * normal_p99_s, SLOW_S)
    return {
        "peak_rps": peak,
        "peak_idle_share": min(one.idle_share for one in closed),
        "normal_rps": NORMAL_SHARE * peak,
        "normal_p99_ms": normal_p99_s * 1e3,
        "slow_ms": slow_s * 1e3,
        "floods": [_flood(bench, factor, peak, slow_s) for factor in FACTORS],
    }


def _run(ready: AbstractContextManager[Generator]) -> LoadRun:
    with ready as generator:
        generator.start()
        return generator.finish()


def _ok_latencies(run: LoadRun) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.sort(run.calls.latencies_s[run.calls.codes == _OK])


def _flood(bench: Bench, factor: float, peak: float, slow_s: float) -> dict[str, Any]:
    """Offer `factor` times the peak while a probe and a look at health run beside it."""
    beside_s = BEFORE_S + FLOOD_S + AFTER_S
    with (
        bench.recommend(duration_s=beside_s, rate=PROBE_RATE) as probe,
        bench.health(duration_s=beside_s, rate=HEALTH_RATE) as health,
        bench.recommend(duration_s=FLOOD_S, rate=factor * peak) as flood,
    ):
        probe.start()
        health.start()
        flood.start(in_s=BEFORE_S)
        return _verdict(factor, peak, slow_s, flood.finish(), (probe.finish(), health.finish()))


def _verdict(
    factor: float, peak: float, slow_s: float, flood: LoadRun, beside: tuple[LoadRun, LoadRun]
) -> dict[str, Any]:
    probe, health = beside
    value = figures(flood)
    ok = _ok_latencies(flood)
    refused = value["sent"] - len(ok)
    goodput = goodput_rps(flood) / peak
    p99_s = percentile_s(ok, 99) if len(ok) else float("inf")
    recovery_s = _recovery_s(flood, probe, slow_s)
    health_failed = int((health.calls.codes != _OK).sum()) + health.unsent
    return {
        "factor": factor,
        "goodput_share": goodput,
        "p99_ms": p99_s * 1e3,
        "overloaded_share_of_rest": value["overloaded"] / refused if refused else 1.0,
        "statuses": value["statusCodeDistribution"],
        "offered": value["offered"],
        "sent": value["sent"],
        "late": value["late"],
        "idle_share": value["idleShare"],
        "generator_cpu_share": flood.cpu_s / FLOOD_S,
        "recovery_s": recovery_s,
        "health_calls": len(health.calls.codes),
        "health_failed": health_failed,
        "health_slowest_ms": float(health.calls.latencies_s.max()) * 1e3,
        "is_void": value["idleShare"] < LEAST_IDLE,
        "holds": goodput >= LEAST_GOODPUT[factor]
        and p99_s <= slow_s
        and recovery_s <= MOST_RECOVERY_S
        and health_failed == 0
        and value["overloaded"] == refused,
    }


def _recovery_s(flood: LoadRun, probe: LoadRun, slow_s: float) -> float:
    """From the end of the flood to the end of the last bad call of the probe; 0 without one."""
    over_s = flood.began_at_s + FLOOD_S - probe.began_at_s
    calls = probe.calls
    is_bad = (calls.codes != _OK) | (calls.latencies_s > slow_s)
    after = is_bad & (calls.scheduled_s >= over_s)
    return float(calls.ended_s[after].max() - over_s) if after.any() else 0.0


def _show(value: dict[str, Any]) -> None:
    table = Table(title=f"Recommend flooded for {FLOOD_S:.0f} s (peak {value['peak_rps']:,.0f}/s)")
    for column in ("offered", "goodput", "p99 of OK", "told overloaded", "recovery", "health", ""):
        table.add_column(column, justify="right")
    for row in value["floods"]:
        verdict = "void" if row["is_void"] else "holds" if row["holds"] else "fails"
        table.add_row(
            f"{row['factor']:g} × peak",
            f"{row['goodput_share']:.0%}",
            f"{row['p99_ms']:,.0f} ms",
            f"{row['overloaded_share_of_rest']:.0%} of the rest",
            f"{row['recovery_s']:.1f} s",
            f"{row['health_calls'] - row['health_failed']} of {row['health_calls']}",
            verdict,
        )
    console = Console()
    console.print(table)
    for row in value["floods"]:
        console.print(
            f"{row['factor']:g} ×: {row['offered']:,} offered, {row['sent']:,} sent,"
            f" {row['late']:,} late; the generator took {row['generator_cpu_share']:.0%} of its"
            f" core, which idled {row['idle_share']:.0%}; {row['statuses']}"
        )
    console.print(
        f"[dim]{value['machine']}; normal is {NORMAL_SHARE:.0%} of peak,"
        f" p99 {value['normal_p99_ms']:.0f} ms[/]"
    )
