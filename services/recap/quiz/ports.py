"""What a quiz rests on: titles to ask about, and pages of ranking."""

from collections.abc import Callable
from typing import Final, Protocol

from services.recap.quiz.materials import Material
from services.recap.ranking_client import Page, SlateQuery

POOL_SIZE: Final = 500
# Of the time left, for a page of ranking.
PAGE_SHARE: Final = 0.8

TimeLeft = Callable[[], float]


class HeldMaterial(Protocol):
    """What one tenant's quizzes are made of."""

    @property
    def current(self) -> Material:
        """The newest."""
        ...

    async def filled(self, within_s: float) -> bool:
        """Wait for the first catalogue, but no longer than that; whether it is there."""
        ...


class Ranking(Protocol):
    """The ranking service, as far as slates go."""

    async def recommend(self, tenant: str, query: SlateQuery, *, timeout_s: float) -> Page:
        """One slate; raises PartUnavailable, Overloaded or DeadlineSpent."""
        ...
