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
MAX_SEEDS: Final = 50
MAX_SEED_WEIGHT: Final = 10.0


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
    seeds: tuple[tuple[str, float], ...] = ()  # title ids and weights of this session's evidence
    is_diverse: bool = True
    is_anonymous: bool = False  # nobody is named: nothing is known of them, and nothing is kept

    def __post_init__(self) -> None:
        if not self.is_anonymous:
            check_id("profile_id", self.profile_id)
        elif self.profile_id:
            raise InvalidField("profile_id", "must be empty when is_anonymous is set")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidField("limit", f"must be from 0 to {MAX_LIMIT}, is {self.limit}")
        if len(self.seeds) > MAX_SEEDS:
            raise InvalidField("seed_title_ids", f"must have at most {MAX_SEEDS}")
        for place, (title_id, weight) in enumerate(self.seeds):
            check_id(f"seed_title_ids[{place}]", title_id)
            if not -MAX_SEED_WEIGHT <= weight <= MAX_SEED_WEIGHT:
                raise InvalidField(
                    f"seed_weights[{place}]", f"must be within ±{MAX_SEED_WEIGHT:g}, is {weight}"
                )

    @property
    def is_logged(self) -> bool:
        """Whether the answer becomes a decision in the log."""
        return self.purpose is Purpose.LIVE and not self.is_anonymous

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
