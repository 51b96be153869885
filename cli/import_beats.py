"""`reprise import beats`: what happens in the episodes of series, from a file of JSON lines."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.markup import escape
from rich.table import Table

from cli.beat_file import BadBeat, BeatFile, FileEpisode
from cli.calling import open_channel
from cli.console import Output
from cli.filling import BATCH, CALL_S, batches
from cli.suite import is_up, running, with_free_ports
from libs.domain.beat import EpisodeBeats
from libs.domain.title import Title
from libs.serving.beat_codec import episode_message
from libs.serving.settings import SuiteSettings
from libs.serving.title_codec import titles
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.recap.v1 import story_pb2, story_pb2_grpc

NEEDED: Final = ("candidates", "recap")

# Of one call: well below what a message may hold.
_MOST_EPISODES: Final = 50
_MOST_BYTES: Final = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class ImportedBeats:
    """What was sent, or why nothing was."""

    series: int = 0
    episodes: int = 0
    beats: int = 0
    changed_episodes: int = 0
    bad_lines: tuple[BadBeat, ...] = ()

    @property
    def is_imported(self) -> bool:
        """Whether the file was good."""
        return not self.bad_lines


def import_beats(settings: SuiteSettings, path: Path, output: Output) -> ImportedBeats:
    """Send a file's beats, all of them or none; starts what it needs. Again, nothing changes.

    Raises StartFault where the file cannot be read.
    """
    file = BeatFile.read(path)
    with _serving(settings, output) as at:
        bad = sorted({*file.bad, *file.against(_named(at, file))})
        if bad:
            return ImportedBeats(bad_lines=tuple(bad))
        with open_channel(at, "recap") as channel, output.progress() as progress:
            task = progress.add_task("episodes", total=len(file.episodes))
            stub = story_pb2_grpc.StoryServiceStub(channel)
            changed = 0
            for series_id, episodes in _by_series(file.episodes).items():
                for count, one in send_beats(stub, series_id, episodes):
                    changed += one
                    progress.advance(task, count)
    return ImportedBeats(
        series=len(_by_series(file.episodes)),
        episodes=len(file.episodes),
        beats=sum(len(one.episode.beats) for one in file.episodes),
        changed_episodes=changed,
    )


def send_beats(
    stub: story_pb2_grpc.StoryServiceStub, series_id: str, episodes: Iterable[EpisodeBeats]
) -> Iterator[tuple[int, int]]:
    """Replace the beats of episodes of a series; of each call how many, and how many changed."""
    for part in _calls([episode_message(one) for one in episodes]):
        answer = stub.UpsertBeats(
            story_pb2.UpsertBeatsRequest(series_id=series_id, episodes=part), timeout=CALL_S
        )
        yield len(part), answer.changed_episode_count


def show(imported: ImportedBeats, path: Path, output: Output) -> None:
    """Show what was imported, or every line that kept the file from it."""
    table = Table(title="Beats", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name in ("series", "episodes", "beats", "changed_episodes"):
        table.add_row(name.replace("_", " "), f"{getattr(imported, name):,}")
    value = {"is_imported": imported.is_imported, **dataclasses.asdict(imported)}
    if output.as_json or imported.is_imported:
        output.result(value, table)
        return
    for bad in imported.bad_lines:
        output.say(f"[yellow]{escape(path.name)} line {bad.line}:[/] {escape(bad.problem)}")
    output.say(f"[red]Nothing was imported: {len(imported.bad_lines):,} problems.[/]")


@contextmanager
def _serving(settings: SuiteSettings, output: Output) -> Iterator[SuiteSettings]:
    """Settings of services that are up, started for the length of a `with` where they are not."""
    if is_up(settings, NEEDED):
        yield settings
        return
    output.say("The suite is not up: starting candidates and recap for this command.")
    with running(with_free_ports(settings), names=NEEDED, is_trained=False) as suite:
        yield suite.settings


def _named(settings: SuiteSettings, file: BeatFile) -> dict[str, Title]:
    """The titles of the catalogue that the file names."""
    ids = {one.series_id for one in file.episodes}
    ids.update(one.episode.episode_id for one in file.episodes)
    found: dict[str, Title] = {}
    with open_channel(settings, "candidates") as channel:
        stub = candidates_pb2_grpc.CandidatesServiceStub(channel)
        for batch in batches(sorted(ids), BATCH):
            answer = stub.GetTitles(
                candidates_pb2.GetTitlesRequest(title_ids=batch), timeout=CALL_S
            )
            found |= {one.title_id: one for one in titles(answer.titles, "titles")}
    return found


def _by_series(episodes: Sequence[FileEpisode]) -> dict[str, list[EpisodeBeats]]:
    found: dict[str, list[EpisodeBeats]] = {}
    for one in episodes:
        found.setdefault(one.series_id, []).append(one.episode)
    return found


def _calls(messages: Sequence[story_pb2.EpisodeBeats]) -> Iterator[list[story_pb2.EpisodeBeats]]:
    part: list[story_pb2.EpisodeBeats] = []
    size = 0
    for message in messages:
        if part and (len(part) == _MOST_EPISODES or size + message.ByteSize() > _MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(message)
        size += message.ByteSize()
    if part:
        yield part
