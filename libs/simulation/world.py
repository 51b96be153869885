"""The simulated streaming service: catalogue, profiles, their histories and the truth."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.domain.viewing import Surface, ViewingContext, local_time
from libs.simulation.beats import Story, tell_story
from libs.simulation.catalogue import Catalogue, build_catalogue
from libs.simulation.choice import draw_by_weight
from libs.simulation.config import SimulationConfig, Stream
from libs.simulation.histories import Prepare, ProfileHistory, simulate_history
from libs.simulation.logging_policy import build_policy
from libs.simulation.members import Member, as_person, draw_members
from libs.simulation.oracle import start_and_like
from libs.simulation.preferences import (
    ContextEffects,
    Preferences,
    context_effects,
    prepare_preferences,
)
from libs.simulation.residences import (
    Residence,
    draw_residences,
    residence_at,
    settled,
    where_now,
)
from libs.simulation.tastes import DEVICES, Taste, daypart_of
from libs.simulation.viewers import build_profiles
from libs.simulation.wishes import Wish, draw_wish

_SAMPLED_PROFILES: Final = 40
_TARGET_ROUNDS: Final = 3
_MOST_ACTIVITY: Final = 40.0


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A streaming service with known truth; n titles can be recommended.

    Whatever belongs to one profile is drawn from a random stream of its own, so histories can be
    made in any order, or side by side.
    """

    config: SimulationConfig
    catalogue: Catalogue
    profiles: tuple[Profile, ...]
    effects: ContextEffects
    activity: float  # multiplies everybody's sessions
    moved: Mapping[int, tuple[Residence, ...]]  # of the profiles that did, by index

    @property
    def titles(self) -> tuple[Title, ...]:
        """All titles: the n that can be recommended, in row order, then episodes and extras."""
        return self.catalogue.titles

    @property
    def recommendable_ids(self) -> tuple[str, ...]:
        """(n,): the ids behind the entries of `oracle`."""
        return self.catalogue.title_ids

    def taste(self, index: int) -> Taste:
        """The truth of the profile at `index` of `profiles`; of its first member, where shared."""
        return self.members(index)[0].taste

    def members(self, index: int) -> tuple[Member, ...]:
        """The people who watch on the profile at `index`; mostly one."""
        return draw_members(self.config, self.catalogue.space, self.profiles[index], index)

    def residences(self, index: int) -> tuple[Residence, ...]:
        """Where the profile at `index` lived, in time order."""
        return self.moved.get(index) or settled(self.config, self.profiles[index])

    def preferences(self, index: int, at_ms: int | None = None) -> Preferences:
        """The truth of the profile at `index`, or of its first member, held against every title.

        In the country where it lives at `at_ms`; None: where it lives in the end.
        """
        residences = self.residences(index)
        place = -1 if at_ms is None else residence_at(residences, at_ms)
        return self._prepare(index)(self.members(index)[0], residences[place].country)

    def _prepare(self, index: int) -> Prepare:
        profile = self.profiles[index]

        def prepare(member: Member, country: str) -> Preferences:
            person = as_person(profile, member)
            return prepare_preferences(
                self.config, self.catalogue, self.effects, person, member.taste, country
            )

        return prepare

    def history(self, index: int) -> ProfileHistory:
        """All decisions and events of the profile at `index`."""
        return simulate_history(
            self.config,
            self.catalogue,
            self.profiles[index],
            self.members(index),
            self.residences(index),
            self._prepare(index),
            index,
            self.activity,
        )

    def histories(self, progress: Callable[[int], None] | None = None) -> Iterator[ProfileHistory]:
        """Each profile's history, in the order of `profiles`, made when it is asked for.

        `progress` is told how many events each history holds, before that is handed out.
        """
        for index in range(len(self.profiles)):
            history = self.history(index)
            if progress is not None:
                progress(len(history.events))
            yield history

    def expected_event_count(self) -> int:
        """About how many events all histories hold together, judged by a few of them."""
        indices = _sample(len(self.profiles))
        counts = [len(self.history(index).events) for index in indices]
        return round(sum(counts) / len(indices) * len(self.profiles))

    def oracle(
        self, profile: int | str, at_ms: int, context: ViewingContext | None = None
    ) -> NDArray[np.float64]:
        """(n,) the true probability that a profile starts and likes each title.

        `profile` is an index or a profile_id. The probability is that of one page view with the
        tastes, licences and appeal of `at_ms` in the context, or in the profile's usual mix of
        moments and devices where the context is None: use that for a ceiling over coming
        sessions. What was watched before is not left out. Raises KeyError for an unknown id.
        """
        index = profile if isinstance(profile, int) else self.profile_index(profile)
        residences, prepare = self.residences(index), self._prepare(index)
        country = residences[residence_at(residences, at_ms)].country
        members = [prepare(member, country) for member in self.members(index)]
        policy = build_policy(*members, rng=self.config.rng(Stream.POLICY, index))
        return start_and_like(members, policy, at_ms, context)

    def story(self, series_id: str) -> Story:
        """What happens in a series; raises KeyError for an unknown id, ValueError for no series."""
        return tell_story(self.config, self.catalogue, self.catalogue.row_of[series_id])

    def wish(self, profile: int | str, at_ms: int, rng: np.random.Generator) -> Wish:
        """What a profile, or its first member, is after at `at_ms`, on a device of its own.

        Raises KeyError for an unknown id, ValueError where nothing is available.
        """
        index = profile if isinstance(profile, int) else self.profile_index(profile)
        person = self.profiles[index]
        residences = self.residences(index)
        where = residences[residence_at(residences, at_ms)]
        local = local_time(at_ms, where.time_zone)
        preferences = self.preferences(index, at_ms)
        usual = preferences.taste.device_shares[daypart_of(local.weekday(), local.hour)]
        context = ViewingContext(
            time_zone=where.time_zone,
            device=DEVICES[draw_by_weight(usual, rng)],
            country=where.country,
            language=person.languages[0],
            surface=Surface.HOME,
            kids=person.kids,
        )
        scores = self.catalogue.moods.scores
        return draw_wish(preferences, scores, self.recommendable_ids, at_ms, context, rng)

    def profile_index(self, profile_id: str) -> int:
        """The place of a profile in `profiles`; raises KeyError if there is none."""
        digits = profile_id[1:]
        index = int(digits) if digits.isascii() and digits.isdigit() else len(self.profiles)
        if index >= len(self.profiles) or self.profiles[index].profile_id != profile_id:
            raise KeyError(profile_id)
        return index


def build_world(config: SimulationConfig) -> World:
    """Make the world of a configuration; where it has an events_target, find the activity."""
    catalogue = build_catalogue(config)
    profiles, moved = _move_some(config, build_profiles(config))
    world = World(
        config=config,
        catalogue=catalogue,
        profiles=profiles,
        effects=context_effects(catalogue.traits),
        activity=1.0,
        moved=moved,
    )
    if config.events_target is None:
        return world
    scaled = partial(dataclasses.replace, world)
    for _ in range(_TARGET_ROUNDS):
        expected = max(world.expected_event_count(), 1)
        activity = min(world.activity * config.events_target / expected, _MOST_ACTIVITY)
        world = scaled(activity=activity)
    return world


def _move_some(
    config: SimulationConfig, homes: tuple[Profile, ...]
) -> tuple[tuple[Profile, ...], dict[int, tuple[Residence, ...]]]:
    """The profiles as they are in the end, and the residences of those who moved."""
    if not config.movers_share:
        return homes, {}
    drawn = [draw_residences(config, home) for home in homes]
    now = tuple(where_now(home, places) for home, places in zip(homes, drawn, strict=True))
    return now, {index: places for index, places in enumerate(drawn) if len(places) > 1}


def _sample(count: int) -> list[int]:
    """Up to _SAMPLED_PROFILES indices, evenly spread."""
    places = np.linspace(0, count - 1, min(count, _SAMPLED_PROFILES))
    return [int(place) for place in np.unique(places.astype(np.int64))]
