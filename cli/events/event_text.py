"""Events as people and programs read them."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from rich.markup import escape
from rich.table import Table

from cli.title_names import TitleNames
from libs.domain.event import (
    Dwell,
    Event,
    MyListChange,
    Prompt,
    QuizAnswer,
    Rating,
    RowScroll,
    Search,
    Thumb,
    WatchedInterval,
)
from libs.domain.viewing import Device


def event_table(
    events: Iterable[Event], names: TitleNames, *, title: str, with_profile: bool
) -> Table:
    """A row an event, in the order given; `names` of titles where they are known."""
    table = Table(title=title)
    table.add_column("when (UTC)", no_wrap=True)
    if with_profile:
        table.add_column("profile", no_wrap=True)
    table.add_column("what")
    table.add_column("title", style="bold", overflow="fold")
    table.add_column("detail")
    table.add_column("where", style="dim")
    for event in events:
        table.add_row(*cells(event, names, with_profile=with_profile))
    return table


def cells(event: Event, names: TitleNames, *, with_profile: bool) -> list[str]:
    """The cells of one row; what a client sent is shown as it is, never as markup."""
    profile = [escape(event.profile_id)] if with_profile else []
    return [
        time_text(event.occurred_ms),
        *profile,
        event.kind.name.lower().replace("_", " "),
        escape(names.of(event.title_id)),
        escape(detail_text(event)),
        escape(_where(event)),
    ]


def time_text(at_ms: int) -> str:
    """To the second, UTC."""
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration_text(ms: int) -> str:
    """As a player shows it: 4:05 or 1:04:05."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def detail_text(event: Event) -> str:
    """What only this kind says, in a few words."""
    match event.detail:
        case WatchedInterval(from_ms=from_ms, to_ms=to_ms, duration_ms=duration_ms):
            if from_ms == to_ms:
                return f"at {duration_text(to_ms)} of {duration_text(duration_ms)}"
            return f"{duration_text(from_ms)} – {duration_text(to_ms)}"
        case Thumb(direction=direction):
            return direction.name.lower()
        case Rating(value=value, scale=scale):
            return f"{value:g} of {scale:g}"
        case MyListChange(is_listed=is_listed):
            return "added" if is_listed else "removed"
        case None:
            return _shown_by(event)
        case rare:
            return _rare_text(rare)


def _rare_text(detail: Search | RowScroll | Dwell | QuizAnswer | Prompt) -> str:
    match detail:
        case Search(query=query, result_count=count):
            return f"“{query}”, {count} found"
        case RowScroll(direction=direction, row_id=row_id):
            return f"{direction.name.lower()} {row_id}".strip()
        case Dwell(dwell_ms=dwell_ms):
            return f"{dwell_ms / 1000:.1f} s"
        case QuizAnswer(question_id=question_id, answer_id=answer_id):
            return f"{question_id}: {answer_id}"
        case Prompt(prompt_id=prompt_id):
            return prompt_id


def event_value(event: Event, names: TitleNames) -> dict[str, Any]:
    """One event for programs, with the names of the contract."""
    return {
        "event_id": event.event_id,
        "profile_id": event.profile_id,
        "kind": event.kind.name,
        "occurred_at": dt.datetime.fromtimestamp(event.occurred_ms / 1000, dt.UTC).isoformat(),
        "sequence": event.sequence,
        "session_id": event.session_id,
        "title_id": event.title_id,
        "is_unknown_title": names.is_unknown(event.title_id),
        "detail": detail_text(event),
        "device": event.context.device.name,
        "country": event.context.country,
        "page_id": event.placement.page_id if event.placement else "",
    }


def _shown_by(event: Event) -> str:
    if event.placement is None:
        return ""
    place = f"row {event.placement.row_index}, place {event.placement.position}"
    return f"{place}, {event.attribution.policy}" if event.attribution else place


def _where(event: Event) -> str:
    context = event.context
    device = "" if context.device is Device.UNSPECIFIED else context.device.name.lower()
    return " ".join(part for part in (device, context.country) if part)
