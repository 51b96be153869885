"""Sessions of simulated profiles as household detection takes them, beside the truth."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import EventKind, WatchedInterval
from libs.domain.title import KIDS_MATURITY_YEARS, Title, TitleKind
from libs.domain.viewing import ViewingContext, local_time
from libs.simulation.config import Detail, SimulationConfig
from libs.simulation.histories import ProfileHistory
from libs.simulation.words import GENRES
from libs.simulation.world import build_world
from services.recap.year.households import Sessions

LEAST_MS = 120_000
_GENRE_ROW = {genre.name: row for row, genre in enumerate(GENRES)}


@dataclass(frozen=True, slots=True, eq=False)
class KnownProfile:
    """What a service can know of an adult's profile, and who it was."""

    sessions: Sessions
    member: NDArray[np.int64]  # (s,)
    member_is_child: tuple[bool, ...]

    @property
    def is_shared(self) -> bool:
        return len(self.member_is_child) > 1


@dataclass(slots=True)
class _Watched:
    at_ms: int
    context: ViewingContext
    ms_by_title: dict[str, int]


def simulated_profiles(
    seed: int, profile_count: int, days: int, until_ms: int = 1_767_225_600_000
) -> Iterator[KnownProfile]:
    """Adults' profiles, half of them shared, that have watched anything."""
    world = build_world(
        SimulationConfig(
            until_ms=until_ms,
            seed=seed,
            profile_count=profile_count,
            days=days,
            detail=Detail.PLAYS,
            shared_share=0.5,
        )
    )
    titles = {title.title_id: title for title in world.titles}
    for index, profile in enumerate(world.profiles):
        if profile.kids or profile.maturity_limit_years is not None:
            continue
        history = world.history(index)
        watched = _watched(history)
        if not watched:
            continue
        yield KnownProfile(
            _sessions(list(watched.values()), titles),
            np.array([history.member_of[session_id] for session_id in watched]),
            tuple(member.is_child for member in world.members(index)),
        )


def _watched(history: ProfileHistory) -> dict[str, _Watched]:
    """Sessions with at least LEAST_MS of playback, by id."""
    sessions: dict[str, _Watched] = {}
    for event in history.events:
        if not isinstance(event.detail, WatchedInterval) or event.kind is EventKind.SEEK:
            continue
        session = sessions.setdefault(
            event.session_id, _Watched(event.occurred_ms, event.context, defaultdict(int))
        )
        session.ms_by_title[event.title_id] += event.detail.to_ms - event.detail.from_ms
    return {
        session_id: session
        for session_id, session in sessions.items()
        if sum(session.ms_by_title.values()) >= LEAST_MS
    }


def _sessions(watched: list[_Watched], titles: dict[str, Title]) -> Sessions:
    content = np.zeros((len(watched), len(GENRES)))
    kids_share = np.zeros(len(watched))
    wholes: list[str] = []
    hours = []
    for place, session in enumerate(watched):
        total_ms = sum(session.ms_by_title.values())
        ms_of: dict[str, int] = defaultdict(int)
        for title_id, ms in session.ms_by_title.items():
            title = titles[title_id]
            ms_of[title.parent_id if title.kind is TitleKind.EPISODE else title_id] += ms
            for genre in title.genres:
                content[place, _GENRE_ROW[genre]] += ms / total_ms / len(title.genres)
            kids_share[place] += ms / total_ms * (title.maturity_years <= KIDS_MATURITY_YEARS)
        wholes.append(min(ms_of, key=lambda whole: (-ms_of[whole], whole)))
        local = local_time(session.at_ms, session.context.time_zone)
        hours.append(24 * local.weekday() + local.hour + local.minute / 60)
    return Sessions(
        start_ms=np.array([session.at_ms for session in watched]),
        local_hour=np.array(hours),
        device=np.array([int(session.context.device) for session in watched]),
        content=content,
        kids_share=kids_share,
        whole=np.unique(wholes, return_inverse=True)[1],
    )
