"""What was known of profiles at each cut: one pass over each profile's events, in order."""

from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.domain.viewing import UNKNOWN_CONTEXT
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.event_columns import EventColumns
from libs.features.evidence import session_evidence
from libs.features.profile_state import NO_BASE, ProfileBase, ProfileReplay, unexpired
from libs.features.profile_view import resolve, seen_rows, taste_history
from libs.features.ranking_matrix import Viewer
from libs.features.title_replay import TitleBase
from training.cuts import Cut
from training.retrieval_fit import Histories

# Cold queries a warm one: enough for the ranker to know that popularity is all there is to go by,
# and not so many that it learns little else (of MovieLens 1M half are cold; with all of them the
# NDCG@10 of warm profiles is .144 instead of .154).
COLD_SHARE: Final = 0.2

# How often a pass over many profiles says how far it is.
_PROGRESS_EVERY = 64


class EventLog(Protocol):
    """The log that is trained on; libs.storage.recorded_log opens recorded ones."""

    def newest_event_ms(self, tenant: str) -> int:
        """When the newest event occurred; 0 without any."""
        ...

    def columns(self, tenant: str, until_ms: int, from_ms: int | None = None) -> EventColumns:
        """The events from `from_ms` until before `until_ms`, in order."""
        ...

    def profile_events(self, tenant: str, until_ms: int) -> Iterator[tuple[str, list[Event]]]:
        """Each profile with its events before `until_ms`, in order."""
        ...

    def base_of(self, tenant: str, profile_id: str) -> ProfileBase:
        """What one profile's compacted events have made of it."""
        ...

    def title_base(self, tenant: str) -> TitleBase:
        """The counters of titles at the time up to which events may be compacted."""
        ...

    def compacted_count(self) -> int:
        """How many events were ever compacted; while it stays, bases and events are of one log."""
        ...

    def profiles(self, tenant: str) -> list[Profile]:
        """All stored profiles."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One query of the past: who asked, and which rows turned out relevant."""

    profile_id: str
    viewer: Viewer
    relevant: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The state of things at a cut, from events before it; `asked` looks forward for labels."""

    histories: Histories  # of all profiles with events before the cut
    asked: tuple[Asked, ...]  # of the profiles that were wanted


def take_snapshots(
    profile_events: Iterable[tuple[str, list[Event]]],
    cuts: Sequence[Cut],
    wanted: Sequence[Mapping[str, NDArray[np.int32]]],
    until_ms: int,
    columns: CatalogueColumns,
    profiles: Mapping[str, Profile],
    *,
    profile_count: int,
    base_of: Callable[[str], ProfileBase] = lambda profile_id: NO_BASE,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> tuple[tuple[Snapshot, ...], Histories]:
    """A snapshot for each of `cuts`, which ascend, and the histories at `until_ms`.

    `wanted` has, for each cut, the relevant rows of the profiles to ask for. Every other query is
    of the moment and context of the profile's first event from the cut on, so that nothing
    happened in between; the others are of the cut, in no known context. `base_of` is what a
    profile's compacted events have made of it: they are of before every cut.
    """
    histories: list[list[tuple[NDArray[np.int32], NDArray[np.float32]]]] = [[] for _ in cuts]
    asked: list[list[Asked]] = [[] for _ in cuts]
    last: list[tuple[NDArray[np.int32], NDArray[np.float32]]] = []
    for count, (profile_id, events) in enumerate(profile_events):
        if count % _PROGRESS_EVERY == 0:
            on_progress(min(count / max(profile_count, 1), 1.0))
        base = base_of(profile_id)
        replay = ProfileReplay(base)
        start = 0
        for place, cut in enumerate(cuts):
            stop = bisect_left(events, cut.time_ms, key=_occurred_ms)
            replay.advance(events[start:stop])
            start = stop
            relevant = wanted[place].get(profile_id)
            is_known = stop > 0 or base is not NO_BASE
            if not is_known and relevant is None:
                continue
            state = replay.state()
            view = resolve(state, columns)
            if relevant is not None and base is not NO_BASE:
                # What is new among the events that are left need not be new to the profile.
                relevant = np.setdiff1d(relevant, seen_rows(view))
                relevant = relevant if len(relevant) else None
            if is_known:
                # One more row, even an empty one, would change the factors' first draw.
                histories[place].append(taste_history(view, cut.time_ms))
            if relevant is not None:
                # The profile's next event, by which it is there, or the cut itself, as for a
                # list that is made in advance.
                is_visit = len(asked[place]) % 2 == 0
                at_ms = events[stop].occurred_ms if is_visit else cut.time_ms
                viewer = Viewer(
                    profile=profiles.get(profile_id),
                    view=resolve(unexpired(state, at_ms), columns),
                    counters=state.counters,
                    context=events[stop].context if is_visit else UNKNOWN_CONTEXT,
                    at_ms=at_ms,
                    evidence=session_evidence((), state.wishes, at_ms, columns.credit.row_of),
                )
                asked[place].append(Asked(profile_id, viewer, relevant))
        replay.advance(events[start:])
        last.append(taste_history(resolve(replay.state(), columns), until_ms))
    snapshots = tuple(
        Snapshot(Histories.of(all_histories), tuple(queries))
        for all_histories, queries in zip(histories, asked, strict=True)
    )
    return snapshots, Histories.of(last)


def sample(
    relevant: Mapping[int, NDArray[np.int32]],
    known: Container[int],
    profile_ids: Sequence[str],
    most: int,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.int32]]:
    """At most `most` of the profiles (indexes of `profile_ids`), by their ids.

    Those that are not `known`, having no history, are COLD_SHARE of them at most.
    """
    warm = sorted(index for index in relevant if index in known)
    cold = sorted(index for index in relevant if index not in known)
    chosen = draw(warm, most, rng)
    chosen += draw(cold, min(round(len(chosen) * COLD_SHARE), most - len(chosen)), rng)
    return {profile_ids[index]: relevant[index] for index in sorted(chosen)}


def draw(indexes: Sequence[int], most: int, rng: np.random.Generator) -> list[int]:
    """At most `most` of `indexes`, each as likely as any other."""
    if len(indexes) <= most:
        return list(indexes)
    chosen: list[int] = rng.choice(np.asarray(indexes), most, replace=False).tolist()
    return chosen


_occurred_ms = attrgetter("occurred_ms")
