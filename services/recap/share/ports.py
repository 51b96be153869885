"""What sharing needs of others."""

from collections.abc import Callable, Mapping
from typing import Protocol

from libs.domain.title import Title
from services.recap.quiz.quiz_store import Kept
from services.recap.share.images.picture import Format
from services.recap.share.shared_card import SharedCard
from services.recap.year.recaps import RecapAnswer, RecapQuery


class Recaps(Protocol):
    """The recaps of profiles."""

    async def get(self, query: RecapQuery, remaining_s: Callable[[], float]) -> RecapAnswer:
        """The recap, its cards with their facts; raises a Fault."""
        ...


class Quizzes(Protocol):
    """The quizzes that profiles have played lately."""

    def read(self, tenant: str, profile_id: str, quiz_id: str, now_ms: int) -> Kept | None:
        """A quiz that has not expired; raises NotFound for an erased profile."""
        ...


class Titles(Protocol):
    """The catalogue of one tenant."""

    @property
    def titles(self) -> Mapping[str, Title]:
        """By id."""
        ...

    async def filled(self, within_s: float) -> bool:
        """Wait until it is known, but no longer than that; whether it is."""
        ...


class Pictures(Protocol):
    """Pictures of shared cards."""

    async def picture(
        self, card: SharedCard, display_name: str, format: Format, *, is_png: bool
    ) -> bytes:
        """The picture as PNG or SVG; raises Overloaded or PartUnavailable."""
        ...
