"""`reprise recommend`: ask the running services and show the slate."""

import dataclasses
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import grpc
from rich.table import Table

from cli.calling import open_channel
from cli.console import Output
from cli.moments import moment_text
from cli.present import past_present_ms
from libs.serving.decoding import time_ms, timestamp
from libs.serving.settings import SuiteSettings
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.common.v1 import purpose_pb2, viewing_pb2
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc

CALL_S: Final = 10.0


class DeviceName(StrEnum):
    """The devices of the contract as people type them."""

    UNSPECIFIED = "unspecified"
    TV = "tv"
    PHONE = "phone"
    TABLET = "tablet"
    COMPUTER = "computer"
    CONSOLE = "console"


class PurposeName(StrEnum):
    """The purposes of the contract as people type them."""

    LIVE = "live"
    PREVIEW = "preview"
    EVALUATION = "evaluation"


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """One question for `recommend`."""

    profile_id: str
    limit: int = 10
    device: DeviceName = DeviceName.UNSPECIFIED
    country: str = ""
    time_zone: str = ""
    at_ms: int | None = None
    purpose: PurposeName = PurposeName.LIVE

    def message(self) -> ranking_pb2.RecommendRequest:
        """The request of the contract."""
        return ranking_pb2.RecommendRequest(
            profile_id=self.profile_id,
            limit=self.limit,
            context=viewing_pb2.ViewingContext(
                device=viewing_pb2.Device.Value(f"DEVICE_{self.device.name}"),
                country=self.country,
                time_zone=self.time_zone,
                surface=viewing_pb2.SURFACE_HOME,
            ),
            purpose=purpose_pb2.Purpose.Value(f"PURPOSE_{self.purpose.name}"),
            request_time=None if self.at_ms is None else timestamp(self.at_ms),
        )


def recommend(settings: SuiteSettings, ask: Ask, output: Output) -> None:
    """Ask ranking, fetch the names from candidates, show both."""
    if ask.at_ms is None:
        ask = dataclasses.replace(ask, at_ms=past_present_ms(settings, output))
    with open_channel(settings, "ranking") as channel:
        answer = ranking_pb2_grpc.RankingServiceStub(channel).Recommend(
            ask.message(), timeout=CALL_S
        )
    titles = titles_by_id(settings, list(answer.title_ids))
    output.result(_value(ask, answer, titles), _table(ask, answer, titles))
    if not answer.title_ids:
        output.say("[yellow]No titles: nothing in the catalogue may be shown.[/]")
    if not output.as_json:
        output.say(_footer(answer))


def titles_by_id(settings: SuiteSettings, title_ids: list[str]) -> dict[str, candidates_pb2.Title]:
    """Names and genres; without candidates the slate is shown by ids alone."""
    if not title_ids:
        return {}
    with open_channel(settings, "candidates") as channel:
        try:
            answer = candidates_pb2_grpc.CandidatesServiceStub(channel).GetTitles(
                candidates_pb2.GetTitlesRequest(title_ids=title_ids), timeout=CALL_S
            )
        except grpc.RpcError:
            return {}
    return {title.title_id: title for title in answer.titles}


def _degraded(answer: ranking_pb2.RecommendResponse) -> list[str]:
    return [purpose_pb2.Part.Name(part).removeprefix("PART_") for part in answer.degraded]


def _value(
    ask: Ask, answer: ranking_pb2.RecommendResponse, titles: dict[str, candidates_pb2.Title]
) -> dict[str, Any]:
    return {
        "profile_id": ask.profile_id,
        "page_id": answer.page_id,
        "model_version": answer.model_version,
        "index_version": answer.index_version,
        "policy": answer.policy,
        "degraded": _degraded(answer),
        "is_contextual": answer.is_contextual,
        "titles": [
            {
                "title_id": title_id,
                "name": titles[title_id].name if title_id in titles else None,
                "score": score,
                "sources": list(provenance.source_names),
            }
            for title_id, score, provenance in zip(
                answer.title_ids, answer.scores, answer.sources, strict=True
            )
        ],
    }


def _table(
    ask: Ask, answer: ranking_pb2.RecommendResponse, titles: dict[str, candidates_pb2.Title]
) -> Table:
    where = " · ".join(
        part
        for part in (
            "" if ask.device is DeviceName.UNSPECIFIED else ask.device.value,
            ask.at_ms and moment_text(ask.at_ms),
        )
        if part
    )
    table = Table(title=f"For {ask.profile_id}" + (f" ({where})" if where else ""))
    table.add_column("#", justify="right", style="dim")
    table.add_column("title", style="bold", no_wrap=True)
    table.add_column("kind")
    table.add_column("genres")
    table.add_column("score", justify="right")
    table.add_column("from", style="dim", no_wrap=True)
    rows = zip(answer.title_ids, answer.scores, answer.sources, strict=True)
    for place, (title_id, score, provenance) in enumerate(rows, start=1):
        title = titles.get(title_id)
        table.add_row(
            str(place),
            title.name if title else title_id,
            candidates_pb2.TitleKind.Name(title.kind).removeprefix("TITLE_KIND_").lower()
            if title
            else "",
            ", ".join(title.genres) if title else "",
            f"{score:.2f}",
            _short(provenance.source_names),
        )
    return table


def _short(source_names: Sequence[str]) -> str:
    """The first source, and how many others proposed the title too."""
    others = len(source_names) - 1
    return f"{source_names[0]} +{others}" if others > 0 else "".join(source_names)


def _footer(answer: ranking_pb2.RecommendResponse) -> str:
    made_by = answer.model_version or "no model"
    until = (
        f", trained until {moment_text(time_ms(answer.trained_until, 'trained_until'))}"
        if answer.HasField("trained_until")
        else ""
    )
    missing = _degraded(answer)
    degraded = f" [yellow]degraded: {', '.join(missing)}[/]" if missing else ""
    contextual = " [yellow]without history: the profile refuses it[/]"
    degraded += contextual if answer.is_contextual else ""
    return f"[dim]{answer.policy} by {made_by}{until}[/]{degraded}"
