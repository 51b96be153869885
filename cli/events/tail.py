"""`reprise events tail`: what has arrived last, and what arrives, from the log."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Final

from cli.console import Output
from cli.events.event_text import cells, event_table, event_value
from cli.present import recorded_log
from cli.title_names import TitleNames, title_names
from libs.domain.event import Event
from libs.serving.settings import SuiteSettings
from libs.storage.recorded_log import RecordedLog

EVERY_S: Final = 0.5
MOST_AT_ONCE: Final = 1_000


def tail(
    settings: SuiteSettings,
    output: Output,
    *,
    tenant: str,
    most: int,
    is_followed: bool,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Show the newest arrivals; `is_followed` goes on with what arrives until Ctrl-C.

    Programs that follow get one JSON value a line.
    """
    with closing(recorded_log(settings)) as log:
        _tail(log, settings, output, tenant=tenant, most=most, is_followed=is_followed, wait=wait)


def _tail(
    log: RecordedLog,
    settings: SuiteSettings,
    output: Output,
    *,
    tenant: str,
    most: int,
    is_followed: bool,
    wait: Callable[[float], None],
) -> None:
    newest = log.newest_arrivals(tenant, most)
    events = [event for _, event in newest]
    if not (is_followed and output.as_json):
        names = _names(settings, events)
        title = f"The last {len(events):,} events to arrive"
        value = {"tenant": tenant, "events": [event_value(event, names) for event in events]}
        output.result(value, event_table(events, names, title=title, with_profile=True))
    else:
        _write_lines(events, _names(settings, events))
    after = newest[-1][0] if newest else 0
    while is_followed:
        arrived = log.arrivals(tenant, after, MOST_AT_ONCE)
        if not arrived:
            wait(EVERY_S)
            continue
        after = arrived[-1][0]
        _show([event for _, event in arrived], settings, output)


def _show(events: list[Event], settings: SuiteSettings, output: Output) -> None:
    names = _names(settings, events)
    if output.as_json:
        _write_lines(events, names)
        return
    for event in events:
        output.say("  ".join(part for part in cells(event, names, with_profile=True) if part))


def _names(settings: SuiteSettings, events: list[Event]) -> TitleNames:
    return title_names(settings, (event.title_id for event in events))


def _write_lines(events: Iterable[Event], names: TitleNames) -> None:
    for event in events:
        sys.stdout.write(json.dumps(event_value(event, names)) + "\n")
    sys.stdout.flush()
