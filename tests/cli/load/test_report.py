"""Figures of runs whose figures are known."""

import json

import numpy as np
import pytest

from cli.load.generator import LoadRun
from cli.load.job import Calls
from cli.load.plan import LoadPlan
from cli.load.report import figures


def run(
    rows: list[tuple[float, float, float, int]], *, unsent: int = 0, duration_s: float | None = None
) -> LoadRun:
    calls = Calls.of(rows)
    total_s = float(calls.ended_s.max(initial=0.0))
    plan = LoadPlan(
        target="127.0.0.1:1",
        call="a.B/C",
        total=100,
        rate=10.0,
        duration_s=duration_s,
        metadata=(("authorization", "secret"),),
    )
    return LoadRun(
        plan=plan,
        calls=calls,
        errors={},
        unsent=unsent,
        total_s=total_s,
        window_s=duration_s or total_s,
        cpu_s=0.1,
        idle_share=0.5,
        began_at_s=0.0,
    )


def test_latency_counts_from_the_scheduled_time_and_of_ok_calls_only() -> None:
    value = figures(run([(0.0, 0.5, 0.6, 0), (1.0, 1.0, 1.2, 0), (2.0, 2.0, 2.9, 8)]))
    assert value["fastest"] == 200_000_000
    assert value["slowest"] == 600_000_000
    assert value["average"] == pytest.approx(1.7e9 / 3, abs=1)
    assert value["late"] == 1
    assert {row["percentage"]: row["latency"] for row in value["latencyDistribution"]} == {
        10: 200_000_000, 25: 200_000_000, 50: 200_000_000, 75: 600_000_000,
        90: 600_000_000, 95: 600_000_000, 99: 600_000_000, 99.9: 600_000_000,
    }  # fmt: skip


def test_the_histogram_holds_every_ok_call_once() -> None:
    rng = np.random.default_rng(1)
    rows = [(0.0, 0.0, float(latency), 0) for latency in rng.exponential(0.01, 1000)]
    histogram = figures(run([*rows, (0.0, 0.0, 9.0, 4)]))["histogram"]
    assert len(histogram) == 11
    assert sum(bucket["count"] for bucket in histogram) == 1000
    assert sum(bucket["frequency"] for bucket in histogram) == pytest.approx(1)
    assert [bucket["mark"] for bucket in histogram] == sorted(
        bucket["mark"] for bucket in histogram
    )


def test_goodput_is_what_ended_ok_within_the_measured_time() -> None:
    rows = [(0.0, 0.0, 0.5, 0), (0.5, 0.5, 1.9, 0), (1.0, 1.0, 2.1, 0), (1.5, 1.5, 1.6, 4)]
    assert figures(run(rows, duration_s=2.0))["goodputRps"] == 1.0


def test_refusals_of_a_full_server_are_overloaded_in_either_form() -> None:
    value = figures(run([(0.0, 0.0, 0.1, 8), (0.0, 0.0, 0.1, 1), (0.0, 0.0, 0.1, 14)], unsent=2))
    assert value["overloaded"] == 2
    assert value["statusCodeDistribution"] == {
        "Canceled": 1,
        "ResourceExhausted": 1,
        "Unavailable": 1,
    }
    assert (value["offered"], value["sent"], value["count"]) == (5, 3, 3)
    assert value["latencyDistribution"] == value["histogram"] == []


def test_all_of_it_is_json_without_secrets() -> None:
    text = json.dumps(figures(run([(0.0, 0.0, 0.1, 0)]), with_details=True))
    assert "secret" not in text
    assert json.loads(text)["details"] == [
        {"timestamp": "1970-01-01T00:00:00+00:00", "latency": 100_000_000, "status": "OK"}
    ]
    assert "details" not in figures(run([(0.0, 0.0, 0.1, 0)]))


def test_a_run_in_which_nothing_left_has_figures_too() -> None:
    value = figures(run([], unsent=3))
    assert (value["count"], value["offered"], value["rps"]) == (0, 3, 0)
