"""`reprise simulate`: fill the suite with a simulated streaming service."""

import dataclasses
import time
from collections.abc import Iterator

from rich.table import Table

from cli.console import Output
from cli.filling import EVENT_BATCH, Filler, filling
from cli.moments import moment_text
from cli.simulated import check_same, remember
from libs.domain.decision import Decision
from libs.domain.event import Event
from libs.serving.settings import SuiteSettings
from libs.simulation.config import SimulationConfig
from libs.simulation.world import World, build_world


@dataclasses.dataclass(frozen=True, slots=True)
class Filled:
    """What was sent, and how long it took."""

    titles: int
    profiles: int
    decisions: int
    events: int
    duplicates: int
    seconds: float


def simulate(settings: SuiteSettings, config: SimulationConfig, output: Output) -> Filled:
    """Build the world and send it through the contracts; starts what it needs, and stops it."""
    check_same(settings, config)
    with filling(settings, output) as filler:
        remember(settings, config)
        return fill(filler, config, output)


def fill(filler: Filler, config: SimulationConfig, output: Output) -> Filled:
    """Send the world to the running services."""
    output.say(
        f"Simulating seed {config.seed} until {moment_text(config.until_ms)}:"
        f" {config.profile_count:,} profiles × {config.title_count:,} titles, {config.days} days"
    )
    started = time.monotonic()
    world = build_world(config)
    filler.titles(world.titles)
    filler.profiles(world.profiles)
    decisions, recorded, duplicates = _send_histories(filler, world, output)
    return Filled(
        titles=len(world.titles),
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
    for name in ("titles", "profiles", "decisions", "events", "duplicates"):
        table.add_row(name, f"{getattr(filled, name):,}")
    table.add_row("seconds", f"{filled.seconds:.1f}")
    output.result(
        {**dataclasses.asdict(filled), "seed": config.seed, "until_ms": config.until_ms}, table
    )


def _send_histories(filler: Filler, world: World, output: Output) -> tuple[int, int, int]:
    """Stream all histories; decisions go before the impressions that name them."""
    sent_decisions = 0

    def batches() -> Iterator[list[Event]]:
        nonlocal sent_decisions
        waiting: list[Event] = []
        decisions: list[Decision] = []
        for history in world.histories():
            waiting.extend(history.events)
            decisions.extend(history.decisions)
            progress.advance(task)
            if len(waiting) < EVENT_BATCH:
                continue
            filler.decisions(decisions)
            sent_decisions += len(decisions)
            decisions = []
            while len(waiting) >= EVENT_BATCH:
                yield waiting[:EVENT_BATCH]
                waiting = waiting[EVENT_BATCH:]
        filler.decisions(decisions)
        sent_decisions += len(decisions)
        if waiting:
            yield waiting

    with output.progress() as progress:
        task = progress.add_task("histories", total=len(world.profiles))
        recorded, duplicates = filler.history(batches())
    return sent_decisions, recorded, duplicates
