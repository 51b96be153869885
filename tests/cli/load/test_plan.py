"""A plan is whole or refused, in the words of its options."""

from pathlib import Path
from typing import Any

import pytest

from cli.load.plan import LoadPlan, Tls, parse_duration
from libs.faults import StartFault


def plan(**options: Any) -> LoadPlan:
    return LoadPlan(target="127.0.0.1:1", call="a.B/C", **options)


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("10s", 10), ("2m", 120), ("3", 3), ("1.5s", 1.5)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-1s", "1h30", "ten"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(StartFault, match="no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "-n"),
        ({"rate": 10.0}, "-n"),
        ({"total": 0}, "-n"),
        ({"duration_s": 0.0}, "-z"),
        ({"duration_s": 1e9}, "-z"),
        ({"total": 1, "rate": 0.0}, "-r"),
        ({"total": 1, "rate": float("nan")}, "-r"),
        ({"total": 1, "concurrency": 0}, "-c"),
        ({"total": 1, "concurrency": 1, "processes": 2}, "-c"),
        ({"total": 1, "processes": 1000}, "--processes"),
        ({"total": 1, "connections": 0}, "--connections"),
        ({"total": 1, "timeout_s": 0.0}, "--timeout"),
        ({"total": 1, "answers_per_stream": 0}, "--stream-count"),
    ],
)
def test_a_plan_without_an_end_or_sense_is_refused(options: dict[str, Any], named: str) -> None:
    with pytest.raises(StartFault, match=named):
        plan(**options)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"total": 7}, 7),
        ({"duration_s": 2.0}, None),
        ({"total": 7, "duration_s": 2.0}, None),
        ({"rate": 10.0, "duration_s": 2.0}, 20),
        ({"rate": 10.0, "duration_s": 2.0, "total": 7}, 7),
        ({"rate": 10.0, "total": 7}, 7),
    ],
)
def test_how_many_calls_is_known_where_answers_do_not_decide(
    options: dict[str, Any], count: int | None
) -> None:
    assert plan(**options).call_count == count


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(StartFault, match="--key"):
        Tls(Path("ca.pem"), certificate_path=Path("me.pem"))


def test_metadata_is_not_shown() -> None:
    assert "secret" not in repr(plan(total=1, metadata=(("authorization", "secret"),)))
