"""`reprise story`: the story of a series so far, as a profile has watched it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from cli.calling import open_channel
from cli.console import Output
from cli.title_names import title_names
from libs.serving.settings import SuiteSettings
from reprise.common.v1 import purpose_pb2
from reprise.recap.v1 import story_pb2, story_pb2_grpc

CALL_S: Final = 10.0
# Lines longer than this are hard to read.
_WIDTH: Final = 88

_PROBLEMS: Final[Mapping[int, str]] = {
    story_pb2.NO_STORY_REASON_NOT_STARTED: "Nothing was watched from the beginning yet.",
    story_pb2.NO_STORY_REASON_NO_BEATS: "Nobody has told yet what happens in what was watched.",
    story_pb2.NO_STORY_REASON_PROGRESS_UNKNOWN: (
        "What was watched cannot be told now, so nothing of the story is."
    ),
    story_pb2.NO_STORY_REASON_REFUSED: "The profile refuses recaps.",
}


class LengthName(StrEnum):
    """The lengths of the contract as people type them."""

    SECONDS_30 = "30s"
    SECONDS_90 = "90s"
    MINUTES_3 = "3min"


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer with the names of the series and of what was seen of it."""

    series: str
    names: Mapping[str, str]  # of episodes that were seen, by id
    answer: story_pb2.GetStoryRecapResponse


def story(
    settings: SuiteSettings, profile_id: str, series_id: str, length: LengthName, output: Output
) -> None:
    """Ask recap, fetch the names of what was seen from candidates, show both."""
    request = story_pb2.GetStoryRecapRequest(
        profile_id=profile_id,
        series_id=series_id,
        length=story_pb2.StoryLength.Value(f"STORY_LENGTH_{length.name}"),
    )
    with open_channel(settings, "recap") as channel:
        answer = story_pb2_grpc.StoryServiceStub(channel).GetStoryRecap(request, timeout=CALL_S)
    names = dict(title_names(settings, [series_id, *_seen(answer)]).names)
    told = _Told(names.pop(series_id, series_id), names, answer)
    output.result(
        _value(profile_id, series_id, told), _page(told, min(_WIDTH, output.console.width))
    )


def _seen(answer: story_pb2.GetStoryRecapResponse) -> list[str]:
    """Episodes of the answer whose names are no secret any more."""
    return list(
        dict.fromkeys(
            beat.episode_id
            for beat in answer.beats
            if beat.episode_id != answer.next_episode.episode_id
        )
    )


def _value(profile_id: str, series_id: str, told: _Told) -> dict[str, Any]:
    answer = told.answer
    has_next = answer.HasField("next_episode")
    return {
        "profile_id": profile_id,
        "series_id": series_id,
        "series": told.series,
        "beats": [
            {
                "episode_id": beat.episode_id,
                "season_number": beat.season_number,
                "episode_number": beat.episode_number,
                "name": told.names.get(beat.episode_id),
                "text": beat.text,
                "start_ms": beat.start_ms,
                "end_ms": beat.end_ms,
                "thumbnail_ms": beat.thumbnail_ms,
            }
            for beat in answer.beats
        ],
        "characters": [
            {
                "name": one.name,
                "beat_count": one.beat_count,
                "last_episode_id": one.last_episode_id,
                "last_season_number": one.last_season_number,
                "last_episode_number": one.last_episode_number,
            }
            for one in answer.characters
        ],
        "relations": [
            {
                "from_character": one.from_character,
                "kind": one.kind,
                "to_character": one.to_character,
            }
            for one in answer.relations
        ],
        "cuts": [
            {"episode_id": cut.episode_id, "from_ms": cut.from_ms, "to_ms": cut.to_ms}
            for cut in answer.cuts
        ],
        "reading_ms": answer.reading_ms,
        "watched_episode_count": answer.watched_episode_count,
        "next_episode": _masked(answer.next_episode) if has_next else None,
        "position_ms": answer.position_ms,
        "later_episodes": [_masked(one) for one in answer.later_episodes],
        "problem": _problem_name(answer),
        "degraded": [purpose_pb2.Part.Name(part).removeprefix("PART_") for part in answer.degraded],
    }


def _masked(one: story_pb2.MaskedEpisode) -> dict[str, Any]:
    return {
        "episode_id": one.episode_id,
        "season_number": one.season_number,
        "episode_number": one.episode_number,
    }


def _problem_name(answer: story_pb2.GetStoryRecapResponse) -> str | None:
    name = story_pb2.NoStoryReason.Name(answer.problem).removeprefix("NO_STORY_REASON_")
    return name if answer.problem else None


def _page(told: _Told, width: int) -> RenderableType:
    """The page that a person reads: the story, the people, the video, where to go on."""
    answer = told.answer
    head = Text(told.series, style="bold", justify="center")
    head.append("\nthe story so far", style="dim italic")
    parts: list[RenderableType] = [Panel(head, width=width, border_style="cyan")]
    if answer.problem:
        problem = _PROBLEMS.get(answer.problem, _problem_name(answer) or "")
        parts.append(Padding(Text(problem, style="yellow"), (1, 2)))
    parts.extend(_episodes(told, width))
    if answer.characters:
        parts.append(_heading("Who is who", width))
        parts.append(Padding(_people(told), (0, 2)))
    if answer.relations:
        parts.append(Padding(_relations(answer.relations), (1, 2, 0, 2)))
    parts.append(_heading("Going on", width))
    parts.append(Padding(_going_on(told), (0, 2, 1, 2)))
    return Group(*parts)


def _heading(text: str, width: int) -> RenderableType:
    """A rule as wide as the page, with a line of air above it."""
    table = Table.grid()
    table.add_column(width=width)
    table.add_row("")
    table.add_row(Rule(Text(text, style="bold cyan"), align="left", style="dim"))
    return table


def _episodes(told: _Told, width: int) -> Iterator[RenderableType]:
    for episode_id, group in groupby(told.answer.beats, lambda beat: beat.episode_id):
        beats = list(group)
        number = _number(beats[0].season_number, beats[0].episode_number)
        name = told.names.get(episode_id, "")
        if episode_id == told.answer.next_episode.episode_id:
            name = f"up to {_clock(told.answer.position_ms)}"
        yield _heading(" · ".join(part for part in (number, name) if part), width)
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", style="dim", width=9, no_wrap=True)
        table.add_column(width=width - 13)
        for beat in beats:
            table.add_row(_clock(beat.start_ms), escape(beat.text))
        yield table


def _people(told: _Told) -> Table:
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for one in told.answer.characters:
        moments = f"{one.beat_count} moment{'s' if one.beat_count > 1 else ''}"
        seen = _number(one.last_season_number, one.last_episode_number)
        table.add_row(escape(one.name), moments, f"last seen in {seen}")
    return table


def _relations(relations: Iterable[story_pb2.Relation]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="bold")
    table.add_column(style="magenta")
    table.add_column(style="bold")
    for one in relations:
        parts = (one.from_character, f"── {one.kind} of ─▶", one.to_character)
        table.add_row(*map(escape, parts))
    return table


def _going_on(told: _Told) -> Text:
    answer = told.answer
    text = Text()
    if answer.HasField("next_episode"):
        number = _number(answer.next_episode.season_number, answer.next_episode.episode_number)
        at = f" at {_clock(answer.position_ms)}" if answer.position_ms else ""
        text.append(f"▶ {number}{at}", style="bold green")
        later = len(answer.later_episodes)
        if later:
            text.append(f"   then {later} more, of which nothing is told", style="dim")
    elif answer.watched_episode_count:
        text.append("✓ All that there is was watched.", style="bold green")
    else:
        text.append("– not known –", style="dim")
    video_ms = sum(cut.to_ms - cut.from_ms for cut in answer.cuts)
    if video_ms:
        text.append(
            f"\n{_clock(answer.reading_ms)} to read · video of {_clock(video_ms)}"
            f" in {len(answer.cuts)} cuts",
            style="dim",
        )
    if answer.degraded:
        missing = ", ".join(
            purpose_pb2.Part.Name(part).removeprefix("PART_") for part in answer.degraded
        )
        text.append(f"\ndegraded: {missing}", style="yellow")
    return text


def _number(season: int, episode: int) -> str:
    return f"S{season} E{episode}"


def _clock(at_ms: int) -> str:
    """Minutes and seconds, with hours where there are any: "1:02:03"."""
    minutes, seconds = divmod(at_ms // 1_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
