"""The question that a Recommend call asks, as a value that can be trusted."""

from dataclasses import dataclass
from typing import Final

from libs.domain.decision import Purpose
from libs.domain.identifiers import check_id
from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext
from libs.faults import InvalidField

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Query:
    """Whom a slate is for, where and when; `as_of_ms` is None for the present."""

    tenant: str
    profile_id: str
    limit: int
    context: ViewingContext
    purpose: Purpose
    now_ms: int
    as_of_ms: int | None = None

    def __post_init__(self) -> None:
        check_id("profile_id", self.profile_id)
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidField("limit", f"must be from 0 to {MAX_LIMIT}, is {self.limit}")

    @property
    def at_ms(self) -> int:
        """The moment meant."""
        return self.now_ms if self.as_of_ms is None else self.as_of_ms


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is in front of the screen: the request's context completed by the stored profile."""

    context: ViewingContext
    kids: bool
    maturity_limit_years: int | None

    @staticmethod
    def of(context: ViewingContext, profile: Profile | None) -> "Audience":
        """Join both; kids is the OR of the two, so neither can undo the other."""
        if profile is None:
            return Audience(context, context.kids, None)
        kids = context.kids or profile.kids
        completed = ViewingContext(
            time_zone=context.time_zone or profile.time_zone,
            device=context.device,
            country=context.country or profile.country,
            language=context.language,
            surface=context.surface,
            kids=kids,
            geo_cell=context.geo_cell,
        )
        return Audience(completed, kids, profile.maturity_limit_years)

    @staticmethod
    def unknown(context: ViewingContext) -> "Audience":
        """When the profile could not be read it may be a child's: only what suits children."""
        return Audience(context, True, None)
