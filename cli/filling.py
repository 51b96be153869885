"""Fills running services through their contracts: titles, profiles, decisions and events."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from cli.calling import open_channel
from cli.console import Output
from cli.event_stream import stream_events
from cli.suite import is_up, running, with_free_ports
from libs.domain.decision import Decision
from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.faults import StartFault
from libs.serving.decision_codec import decision_message
from libs.serving.profile_codec import profile_message
from libs.serving.settings import SuiteSettings
from libs.serving.title_codec import title_message
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc

BATCH: Final = 1_000
NEEDED: Final = ("events", "candidates")
EVENT_BATCH: Final = 5_000
CALL_S: Final = 60.0

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Filler:
    """The stubs of the services that are filled."""

    events: events_pb2_grpc.EventsServiceStub
    candidates: candidates_pb2_grpc.CandidatesServiceStub

    def titles(self, titles: Iterable[Title]) -> None:
        """Create or replace titles."""
        for batch in batches(titles, BATCH):
            self.candidates.UpsertTitles(
                candidates_pb2.UpsertTitlesRequest(titles=[title_message(one) for one in batch]),
                timeout=CALL_S,
            )

    def profiles(self, profiles: Iterable[Profile]) -> None:
        """Create or replace profiles."""
        for batch in batches(profiles, BATCH):
            self.events.UpsertProfiles(
                events_pb2.UpsertProfilesRequest(profiles=[profile_message(one) for one in batch]),
                timeout=CALL_S,
            )

    def stored_profile_ids(self, profile_ids: Sequence[str]) -> set[str]:
        """Those of `profile_ids` that are stored."""
        stored: set[str] = set()
        for batch in batches(profile_ids, BATCH):
            answer = self.events.GetProfiles(
                events_pb2.GetProfilesRequest(profile_ids=batch), timeout=CALL_S
            )
            stored.update(profile.profile_id for profile in answer.profiles)
        return stored

    def decisions(self, decisions: Iterable[Decision]) -> None:
        """Record decisions."""
        for batch in batches(decisions, BATCH):
            answer = self.events.RecordDecisions(
                events_pb2.RecordDecisionsRequest(decisions=[decision_message(d) for d in batch]),
                timeout=CALL_S,
            )
            for rejection in answer.rejections:
                raise StartFault(f"decision rejected: {rejection.field}: {rejection.problem}")

    def history(self, event_batches: Iterable[Sequence[Event]]) -> tuple[int, int]:
        """Stream batches of past events; a broken stream is resumed.

        Returns how many were new and how many were recorded already.
        """
        streamed = stream_events(self.events, event_batches)
        return streamed.recorded_count, streamed.duplicate_count


@contextmanager
def filling(settings: SuiteSettings, output: Output) -> Iterator[Filler]:
    """The services of the suite, started for the length of a `with` where they are not up."""
    if is_up(settings, NEEDED):
        with _connected(settings) as filler:
            yield filler
        return
    output.say("The suite is not up: starting events and candidates for this command.")
    settings = with_free_ports(settings)
    with (
        running(settings, names=NEEDED, is_trained=False),
        _connected(settings) as filler,
    ):
        yield filler


@contextmanager
def _connected(settings: SuiteSettings) -> Iterator[Filler]:
    with (
        open_channel(settings, "events") as events,
        open_channel(settings, "candidates") as candidates,
    ):
        yield Filler(
            events_pb2_grpc.EventsServiceStub(events),
            candidates_pb2_grpc.CandidatesServiceStub(candidates),
        )


def batches(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """The items in lists of `size`, the last one shorter."""
    batch: list[ItemT] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
