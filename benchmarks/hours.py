"""Popularity at an hour of the week beside popularity in a daypart: which foretells plays better.

On the log in var/: counters of before the last days, and the plays of those days.
"""

from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from libs.domain.event import DAY_MS, Event, EventKind
from libs.domain.identifiers import DEFAULT_TENANT
from libs.domain.viewing import local_time
from libs.features.catalogue_columns import from_titles, recommendable_ids
from libs.features.credit import credited_rows
from libs.features.daypart import DAYPART_COUNT
from libs.features.title_block import popularity, title_block
from libs.features.title_replay import TitleReplay
from libs.features.watched_days import watched_days
from libs.features.week_hours import (
    DAYPART_OF_HOUR,
    HOURS_OF_WEEK,
    WeekHours,
    hour_lift,
    hour_of_week,
)
from libs.serving.settings import SuiteSettings
from libs.storage.catalogue_store import read_catalogue
from libs.storage.log_reader import LogReader
from training.evaluation import bootstrap

TEST_DAYS: Final = 7
_EPOCH: Final = 719_163  # the ordinal of 1970-01-01

Play = tuple[str, int, int, int, str]  # country, device, hour of week, row, profile id


def run() -> dict[str, Any]:
    """Measure; the log-likelihood of each play among all titles, as the mean of a profile's."""
    settings = SuiteSettings()
    titles = read_catalogue(settings.catalogue_path, DEFAULT_TENANT)
    columns = from_titles(titles, recommendable_ids(titles))
    with closing(LogReader(settings.events_path)) as log:
        newest_ms = log.newest_event_ms(DEFAULT_TENANT)
        cut_ms = (newest_ms // DAY_MS - TEST_DAYS + 1) * DAY_MS
        hours = WeekHours(columns.credit.row_of, len(columns.title_ids), cut_ms // DAY_MS - 1)
        plays: list[Play] = []
        for profile_id, events in log.profile_events(DEFAULT_TENANT, newest_ms + 1):
            hours.add(watched_days(event for event in events if event.occurred_ms < cut_ms))
            plays.extend(
                _play(event, columns.credit.row_of[event.title_id], profile_id)
                for event in events
                if event.kind is EventKind.PLAY
                and event.occurred_ms >= cut_ms
                and event.title_id in columns.credit.row_of
            )
        replay = TitleReplay(lambda after, to: log.columns_between(DEFAULT_TENANT, after, to))
        table = replay.table(cut_ms - 1)
    lift = hour_lift(hours.values)
    ways: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for country in sorted({play[0] for play in plays}):
        rows = credited_rows(table, columns.credit, country)
        block = title_block(columns, rows)
        usual = np.log(np.maximum(popularity(rows).astype(np.float64), 1e-12))
        of_part = block.daypart_lift[:, DAYPART_OF_HOUR].astype(np.float64)
        here = [play for play in plays if play[0] == country]
        for name, by_hour in _WAYS.items():
            _judge(ways[name], here, usual, block.device_lift, by_hour(lift, of_part))
    figures = _figures(ways, plays, hours.values)
    _show(figures)
    return figures


# From the lift of hours (n, 168) and that of dayparts, an hour each.
_ByHour = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

_WAYS: Final[dict[str, _ByHour]] = {
    "country and device": lambda lift, of_part: np.zeros_like(lift),
    "and daypart": lambda lift, of_part: of_part,
    "and hour of the week": lambda lift, of_part: lift,
}


def _play(event: Event, row: int, profile_id: str) -> Play:
    local = local_time(event.occurred_ms, event.context.time_zone)
    hour = hour_of_week(local.toordinal() - _EPOCH, local.hour)
    return event.context.country, int(event.context.device), hour, row, profile_id


def _judge(
    found: dict[str, list[float]],
    plays: list[Play],
    usual: NDArray[np.float64],
    device_lift: NDArray[np.float32],
    by_hour: NDArray[np.float64],
) -> None:
    by_moment: dict[tuple[int, int], list[Play]] = defaultdict(list)
    for play in plays:
        by_moment[play[1], play[2]].append(play)
    for (device, hour), some in by_moment.items():
        scores = usual + device_lift[:, device] + by_hour[:, hour]
        log_whole = np.logaddexp.reduce(scores)
        for *_, row, profile_id in some:
            found[profile_id].append(float(scores[row] - log_whole))


def _figures(
    ways: dict[str, dict[str, list[float]]], plays: list[Play], viewings: NDArray[np.float64]
) -> dict[str, Any]:
    first = {one: float(np.mean(some)) for one, some in ways["country and device"].items()}
    gains = {}
    for name, found in ways.items():
        differences = np.array([np.mean(found[one]) - first[one] for one in sorted(first)])
        gain = bootstrap(differences, seed=0)
        gains[name] = {
            "log_likelihood": float(np.mean([np.mean(some) for some in found.values()])),
            "gain": gain.mean,
            "low": gain.low,
            "high": gain.high,
        }
    return {
        "machine": machine(),
        "plays": len(plays),
        "profiles": len(first),
        "titles": len(viewings),
        "viewings_a_cell": float(viewings.sum() / viewings.size),
        "bytes": viewings.nbytes,
        "hours": HOURS_OF_WEEK,
        "dayparts": DAYPART_COUNT,
        "ways": gains,
    }


def _show(figures: dict[str, Any]) -> None:
    table = Table(
        "popularity by",
        "log-likelihood of a play",
        "gain (95%)",
        title=f"{figures['plays']:,} plays of {figures['profiles']:,} profiles",
    )
    for name, one in figures["ways"].items():
        table.add_row(
            name,
            f"{one['log_likelihood']:.4f}",
            f"{one['gain']:+.4f} ({one['low']:+.4f} to {one['high']:+.4f})",
        )
    console = Console()
    console.print(table)
    console.print(
        f"[dim]{figures['titles']:,} titles, {figures['viewings_a_cell']:.2f} viewings an hour of"
        f" one, {figures['bytes'] / 1e6:.1f} MB; {figures['machine']}[/]"
    )
