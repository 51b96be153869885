"""`reprise simulate`: fill the suite with a simulated streaming service."""

import dataclasses
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Final, TypeVar

from rich.table import Table

from cli.calling import open_channel
from cli.console import Output
from cli.moments import moment_text
from cli.simulated import check_same, remember
from cli.suite import is_up, running, with_free_ports
from libs.domain.decision import Decision
from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.serving.decision_codec import decision_message
from libs.serving.profile_codec import profile_message
from libs.serving.settings import SuiteSettings
from libs.serving.title_codec import title_message
from libs.simulation.config import SimulationConfig
from libs.simulation.world import World, build_world
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import event_message

BATCH: Final = 1_000
EVENT_BATCH: Final = 5_000
NEEDED: Final = ("events", "candidates")
CALL_S: Final = 60.0

ItemT = TypeVar("ItemT")


@dataclasses.dataclass(frozen=True, slots=True)
class Filled:
    """What was sent, and how long it took."""

    titles: int
    recommendable_titles: int
    profiles: int
    decisions: int
    events: int
    duplicates: int
    seconds: float


def simulate(settings: SuiteSettings, config: SimulationConfig, output: Output) -> Filled:
    """Build the world and send it through the contracts; starts what it needs, and stops it."""
    check_same(settings, config)
    with ExitStack() as stack:
        if not is_up(settings, NEEDED):
            output.say("The suite is not up: starting events and candidates for this command.")
            settings = with_free_ports(settings)
            stack.enter_context(running(settings, names=NEEDED, is_trained=False))
        remember(settings, config, is_complete=False)
        filled = fill(settings, config, output)
    remember(settings, config, is_complete=True)
    return filled


def fill(settings: SuiteSettings, config: SimulationConfig, output: Output) -> Filled:
    """Send the world to the running services."""
    output.say(
        f"Simulating seed {config.seed} until {moment_text(config.until_ms)}:"
        f" {config.profile_count:,} profiles × {config.title_count:,} titles, {config.days} days"
    )
    started = time.monotonic()
    world = build_world(config)
    with ExitStack() as stack:
        events = events_pb2_grpc.EventsServiceStub(
            stack.enter_context(open_channel(settings, "events"))
        )
        candidates = candidates_pb2_grpc.CandidatesServiceStub(
            stack.enter_context(open_channel(settings, "candidates"))
        )
        _send_titles(candidates, world.titles)
        _send_profiles(events, world.profiles)
        decisions, recorded, duplicates = _send_histories(events, world, output)
    return Filled(
        titles=len(world.titles),
        recommendable_titles=len(world.recommendable_ids),
        profiles=len(world.profiles),
        decisions=decisions,
        events=recorded,
        duplicates=duplicates,
        seconds=time.monotonic() - started,
    )


def show(filled: Filled, config: SimulationConfig, output: Output) -> None:
    """Show what was recorded."""
    table = Table(title="Simulated service", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name in ("titles", "recommendable_titles", "profiles", "decisions", "events", "duplicates"):
        table.add_row(name.replace("_", " "), f"{getattr(filled, name):,}")
    table.add_row("seconds", f"{filled.seconds:.1f}")
    wanted = config.events_target or 0
    if filled.events + filled.duplicates < 0.7 * wanted:
        output.say(
            f"[yellow]{wanted:,} events were wanted, more than so few profiles can have in so few"
            " days: give --profiles or --days more.[/]"
        )
    output.result(
        {**dataclasses.asdict(filled), "seed": config.seed, "until_ms": config.until_ms}, table
    )


def _send_titles(
    candidates: candidates_pb2_grpc.CandidatesServiceStub, titles: Iterable[Title]
) -> None:
    for batch in _batches(titles, BATCH):
        candidates.UpsertTitles(
            candidates_pb2.UpsertTitlesRequest(titles=[title_message(title) for title in batch]),
            timeout=CALL_S,
        )


def _send_profiles(events: events_pb2_grpc.EventsServiceStub, profiles: Iterable[Profile]) -> None:
    for batch in _batches(profiles, BATCH):
        events.UpsertProfiles(
            events_pb2.UpsertProfilesRequest(profiles=[profile_message(one) for one in batch]),
            timeout=CALL_S,
        )


def _send_histories(
    events: events_pb2_grpc.EventsServiceStub, world: World, output: Output
) -> tuple[int, int, int]:
    """Stream all histories; decisions go before the impressions that name them."""
    sent_decisions = 0

    def requests() -> Iterator[events_pb2.StreamEventsRequest]:
        nonlocal sent_decisions
        waiting: list[Event] = []
        decisions: list[Decision] = []
        for history in world.histories():
            waiting.extend(history.events)
            decisions.extend(history.decisions)
            progress.advance(task)
            if len(waiting) < EVENT_BATCH:
                continue
            _send_decisions(events, decisions)
            sent_decisions += len(decisions)
            decisions = []
            while len(waiting) >= EVENT_BATCH:
                yield _stream_request(waiting[:EVENT_BATCH])
                waiting = waiting[EVENT_BATCH:]
        _send_decisions(events, decisions)
        sent_decisions += len(decisions)
        if waiting:
            yield _stream_request(waiting)

    with output.progress() as progress:
        task = progress.add_task("histories", total=len(world.profiles))
        answer = events.StreamEvents(requests(), timeout=3600)
    return sent_decisions, answer.recorded_count, answer.duplicate_count


def _stream_request(batch: list[Event]) -> events_pb2.StreamEventsRequest:
    return events_pb2.StreamEventsRequest(
        events=[event_message(event) for event in batch], backfill=True
    )


def _send_decisions(events: events_pb2_grpc.EventsServiceStub, decisions: list[Decision]) -> None:
    for batch in _batches(decisions, BATCH):
        events.RecordDecisions(
            events_pb2.RecordDecisionsRequest(decisions=[decision_message(one) for one in batch]),
            timeout=CALL_S,
        )


def _batches(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    batch: list[ItemT] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
