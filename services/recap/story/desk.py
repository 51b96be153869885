"""The editors' desk: what is told of series, checked against the catalogue."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from libs.domain.beat import EpisodeBeats
from libs.domain.beat_catalogue import is_series, misfits
from libs.domain.title import Title
from libs.faults import InvalidField, PartUnavailable
from libs.serving.waiting import on_thread
from libs.storage.recap.beat_table import BeatTable, ToldEpisode
from services.recap.story.teller import Catalogue

# A page ends with the episode that brings it here.
_PAGE_SIGNS: Final = 1_000_000

# Season and number of an episode in the catalogue, behind 0; those that left it come behind 1.
_Key = tuple[int, int, int, str]


@dataclass(frozen=True, slots=True)
class BeatPage:
    """Some episodes, and where to go on; "" when there are no more."""

    episodes: tuple[EpisodeBeats, ...]
    next_token: str


class BeatDesk:
    """Beats as editors write and read them."""

    def __init__(self, catalogues: Callable[[str], Catalogue], table: BeatTable) -> None:
        self._catalogues = catalogues
        self._table = table

    async def replace(
        self, tenant: str, series_id: str, episodes: Sequence[EpisodeBeats], *, within_s: float
    ) -> int:
        """Replace the beats of whole episodes; of how many they are others now.

        Raises InvalidField for what the catalogue does not know so, PartUnavailable.
        """
        titles = await self._titles(tenant, within_s)
        if not is_series(titles, series_id):
            raise InvalidField("series_id", f"no series {series_id!r} in the catalogue")
        for place, episode in enumerate(episodes):
            # Nobody can tell anything of an episode that is gone, but take back what was told.
            if episode.beats or episode.episode_id in titles:
                for misfit in misfits(titles, series_id, episode):
                    raise misfit.within_episode().within(f"episodes[{place}]")
        told = [
            ToldEpisode(
                one,
                titles[one.episode_id].duration_ms if one.episode_id in titles else 0,
            )
            for one in episodes
        ]
        return await on_thread(self._table.replace, tenant, series_id, told)

    async def page(
        self, tenant: str, series_id: str, *, size: int, token: str, within_s: float
    ) -> BeatPage:
        """Up to `size` episodes after `token`; raises InvalidField, PartUnavailable."""
        after = _decode(token) if token else None
        titles = await self._titles(tenant, within_s)
        return await on_thread(self._page, titles, tenant, series_id, size, after)

    def _page(
        self,
        titles: Mapping[str, Title],
        tenant: str,
        series_id: str,
        size: int,
        after: _Key | None,
    ) -> BeatPage:
        told = self._table.newer(tenant, series_id, -1)
        keyed = {
            _key(titles, series_id, one.episode.episode_id): one.episode
            for one in (told.episodes if told is not None else ())
        }
        waiting = sorted(key for key in keyed if after is None or key > after)
        signs = 0
        taken: list[_Key] = []
        for key in waiting[:size]:
            taken.append(key)
            signs += sum(_signs(beat.text, beat.characters) for beat in keyed[key].beats)
            if signs > _PAGE_SIGNS:
                break
        is_last = len(taken) == len(waiting)
        return BeatPage(tuple(keyed[key] for key in taken), "" if is_last else _encode(taken[-1]))

    async def _titles(self, tenant: str, within_s: float) -> dict[str, Title]:
        catalogue = self._catalogues(tenant)
        if not await catalogue.filled(within_s):
            raise PartUnavailable("catalogue", "it was not read yet")
        return catalogue.titles


def _signs(text: str, characters: Sequence[str]) -> int:
    return len(text) + sum(map(len, characters))


def _key(titles: Mapping[str, Title], series_id: str, episode_id: str) -> _Key:
    title = titles.get(episode_id)
    if title is None or title.parent_id != series_id:
        return (1, 0, 0, episode_id)
    return (0, title.season_number, title.episode_number, episode_id)


def _encode(key: _Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _decode(token: str) -> _Key:
    try:
        found = json.loads(base64.b64decode(token, altchars="-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        found = None
    if not (isinstance(found, list) and [type(part) for part in found] == [int, int, int, str]):
        raise InvalidField("page_token", "is none that was given out")
    gone, season, number, episode_id = found
    return (gone, season, number, episode_id)
