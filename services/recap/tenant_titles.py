"""What recap holds in memory for one tenant: its catalogue."""

from collections.abc import Mapping

from libs.domain.title import Title
from libs.features.progress import episode_ids
from libs.serving.catalogue_feed import CatalogueFeed


class TenantTitles:
    """A tenant's titles, followed for as long as it is held."""

    def __init__(self, feed: CatalogueFeed) -> None:
        self._feed = feed
        self._episodes: tuple[int, Mapping[str, tuple[str, ...]]] = (0, {})

    @property
    def titles(self) -> dict[str, Title]:
        """The catalogue by id; not to be changed by the caller."""
        return self._feed.titles

    @property
    def episodes(self) -> Mapping[str, tuple[str, ...]]:
        """The episodes of each series in their order, made once for each version."""
        if self._episodes[0] != self._feed.version:
            self._episodes = (self._feed.version, episode_ids(self._feed.titles.values()))
        return self._episodes[1]

    @property
    def version(self) -> int:
        """Grows with every change; 0 until the first snapshot is complete."""
        return self._feed.version

    @property
    def is_connected(self) -> bool:
        """Whether changes are arriving now."""
        return self._feed.is_connected

    async def run(self) -> None:
        """Follow the catalogue for ever."""
        await self._feed.run()
