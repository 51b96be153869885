"""The request path of GetStoryRecap: whose story, how far, what is told of it, what to tell."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from libs.domain.beat_catalogue import is_series
from libs.domain.consent import Consent
from libs.domain.decision import Part
from libs.domain.identifiers import check_id
from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.faults import DeadlineSpent, NotFound, Overloaded, PartUnavailable
from libs.features.profile_state import ProfileState
from libs.serving.deadlines import Deadline
from libs.serving.profile_features import ProfileFeatures
from libs.serving.waiting import on_thread
from services.recap.story.story import NoStoryReason, Series, Story, StoryLength, nothing, tell
from services.recap.story.told_series import HeldBeats

# Of the time left: for a tenant whose catalogue is only now being fetched, and for the features.
_CATALOGUE_SHARE: Final = 0.5
_CATALOGUE_MOST_S: Final = 1.0
_FEATURES_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class StoryQuery:
    """Whose story of which series, and how long."""

    tenant: str
    profile_id: str
    series_id: str
    length: StoryLength

    def __post_init__(self) -> None:
        check_id("profile_id", self.profile_id)
        check_id("series_id", self.series_id)


class Catalogue(Protocol):
    """A tenant's titles in memory."""

    @property
    def titles(self) -> dict[str, Title]:
        """The catalogue by id; never changed."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether changes are arriving now."""
        ...

    def episode_ids(self, titles: Mapping[str, Title]) -> Mapping[str, tuple[str, ...]]:
        """The episodes of each series in their order."""
        ...

    async def filled(self, within_s: float) -> bool:
        """Wait for the first snapshot, but no longer than that; whether it is there."""
        ...


class StoryTeller:
    """Tells the stories of all tenants."""

    def __init__(
        self,
        catalogues: Callable[[str], Catalogue],
        profiles: ProfileFeatures,
        beats: HeldBeats,
    ) -> None:
        self._catalogues = catalogues
        self._profiles = profiles
        self._beats = beats

    async def tell(self, query: StoryQuery, deadline: Deadline) -> Story:
        """The story so far; nothing of it, rather than a guess, where progress is not known.

        Raises NotFound for what is no series, and PartUnavailable when beats cannot be read.
        """
        catalogue = self._catalogues(query.tenant)
        within_s = deadline.share_s(_CATALOGUE_SHARE, most_s=_CATALOGUE_MOST_S)
        if not await catalogue.filled(within_s):
            return nothing(NoStoryReason.PROGRESS_UNKNOWN, (Part.CATALOGUE,))
        titles = catalogue.titles
        if not is_series(titles, query.series_id):
            raise NotFound("series", query.series_id)
        read = await self._read(query, deadline.share_s(_FEATURES_SHARE))
        if read is None:
            return nothing(NoStoryReason.PROGRESS_UNKNOWN, (Part.FEATURES,))
        profile, state = read
        if profile is not None and not profile.allows(Consent.RECAP):
            return nothing(NoStoryReason.REFUSED)
        story = await on_thread(self._told, query, catalogue, titles, state)
        if catalogue.is_connected:
            return story
        return dataclasses.replace(story, degraded=(Part.CATALOGUE,))

    async def _read(
        self, query: StoryQuery, timeout_s: float
    ) -> tuple[Profile | None, ProfileState] | None:
        """The profile and what it did; None when that cannot be read now."""
        try:
            return await self._profiles.read(
                query.tenant, query.profile_id, as_of_ms=None, timeout_s=timeout_s
            )
        except (PartUnavailable, DeadlineSpent, Overloaded):
            return None

    def _told(
        self,
        query: StoryQuery,
        catalogue: Catalogue,
        titles: Mapping[str, Title],
        state: ProfileState,
    ) -> Story:
        episode_ids = catalogue.episode_ids(titles).get(query.series_id, ())
        series = Series(tuple(titles[episode_id] for episode_id in episode_ids))
        held = self._beats.of(query.tenant, query.series_id)
        return tell(state, series, held, query.length)
