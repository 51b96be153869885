"""`reprise events features`: what the suite makes of one profile's events, now or at a time."""

from typing import Any, Final

import numpy as np
from rich.markup import escape
from rich.table import Table

from cli.calling import open_channel
from cli.console import Output
from cli.events.event_text import duration_text, time_text
from cli.title_names import TitleNames, title_names
from libs.features.counters import decay, left
from libs.features.profile_state import (
    PROFILE_COUNTER_NAMES,
    PROFILE_HALF_LIVES_MS,
    ProfileState,
    decode_state,
)
from libs.features.title_record import TASTE_HALF_LIFE_MS
from libs.serving.clock import now_ms
from libs.serving.decoding import timestamp
from libs.serving.settings import SuiteSettings
from reprise.events.v1 import events_pb2, events_pb2_grpc

CALL_S: Final = 10.0
MOST_TITLES: Final = 20
_SHOWN: Final = 0.005  # what two places show

_OPINIONS: Final = {1: "up", -1: "down", 0: ""}


def features(settings: SuiteSettings, profile_id: str, at_ms: int | None, output: Output) -> None:
    """Ask GetProfileFeatures and show the counters and the titles that weigh most."""
    with open_channel(settings, "events") as channel:
        answer = events_pb2_grpc.EventsServiceStub(channel).GetProfileFeatures(
            events_pb2.GetProfileFeaturesRequest(
                profile_id=profile_id, as_of=None if at_ms is None else timestamp(at_ms)
            ),
            timeout=CALL_S,
        )
    state = decode_state(
        answer.features.title_ids,
        answer.features.title_records,
        answer.features.profile_counters,
    )
    read_at_ms = now_ms() if at_ms is None else at_ms
    values = decay(state.counters.values, state.counters.at_ms, read_at_ms, PROFILE_HALF_LIVES_MS)
    counters = dict(zip(PROFILE_COUNTER_NAMES, values.tolist(), strict=True))
    rows = title_rows(state, read_at_ms)
    wishes = dict(state.wishes.at(read_at_ms))
    value = {
        "profile_id": profile_id,
        "is_stored": answer.HasField("profile"),
        "feature_schema_version": answer.feature_schema_version,
        "newest_event": time_text(state.newest_ms) if state.newest_ms else None,
        "counters": counters,
        "wishes": wishes,
        "titles": rows,
    }
    names = title_names(settings, [*state.title_ids, *wishes])
    output.result(value, _title_table(profile_id, rows[:MOST_TITLES], names, len(rows)))
    if not output.as_json:
        output.console.print(_counter_table(counters))
        if wishes:
            told = [f"{escape(names.of(one))} {weight:.2f}" for one, weight in wishes.items()]
            output.say(f"wanted, as a quiz has come to: {', '.join(told)}")
        newest = value["newest_event"] or "never"
        output.say(f"[dim]newest event {newest}; schema {value['feature_schema_version']}[/]")


def title_rows(state: ProfileState, at_ms: int) -> list[dict[str, Any]]:
    """What is known of each title, the one with most engagement at `at_ms` first."""
    rows = [
        {
            "title_id": title_id,
            "engagement": float(record["engagement"])
            * left(max(at_ms - int(record["counters_ms"]), 0), TASTE_HALF_LIFE_MS),
            "watched_ms": int(record["watched_ms"]),
            "prefix_ms": int(record["prefix_ms"]),
            "position_ms": int(record["position_ms"]),
            "duration_ms": int(record["duration_ms"]),
            "rating": None if np.isnan(record["rating"]) else float(record["rating"]),
            "thumb": _OPINIONS[int(record["thumb"])],
            "is_listed": bool(record["is_listed"]),
            "last": time_text(int(record["last_ms"])) if record["last_ms"] else None,
        }
        for title_id, record in zip(state.title_ids, state.records, strict=True)
    ]
    return sorted(rows, key=lambda row: (-row["engagement"], row["title_id"]))


def _title_table(
    profile_id: str, rows: list[dict[str, Any]], names: TitleNames, count: int
) -> Table:
    table = Table(title=f"{escape(profile_id)}: {len(rows)} of {count:,} titles, by engagement")
    table.add_column("title", style="bold", overflow="fold")
    table.add_column("engagement", justify="right")
    table.add_column("watched", justify="right")
    table.add_column("left at", justify="right")
    table.add_column("opinion")
    table.add_column("last (UTC)", style="dim", no_wrap=True)
    for row in rows:
        duration_ms = row["duration_ms"]
        share = f"{min(row['watched_ms'] / duration_ms, 1):.0%}" if duration_ms else ""
        opinions = (
            row["thumb"],
            "" if row["rating"] is None else f"★ {row['rating']:.0%}",
            "listed" if row["is_listed"] else "",
        )
        table.add_row(
            escape(names.of(row["title_id"])),
            f"{row['engagement']:.2f}",
            share,
            duration_text(row["position_ms"]) if duration_ms else "",
            " ".join(part for part in opinions if part),
            row["last"] or "",
        )
    return table


def _counter_table(counters: dict[str, float]) -> Table:
    table = Table(title="Counters of the profile, decayed to then")
    table.add_column("counter")
    table.add_column("value", justify="right")
    for name, value in counters.items():
        if value >= _SHOWN:
            table.add_row(name.replace("_", " "), f"{value:.2f}")
    return table
