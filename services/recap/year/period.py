"""Periods: the days by the calendar on the viewer's wall that a recap tells of."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from libs.domain.event import DAY_MS
from libs.faults import InvalidField

FIRST_DAY: Final = dt.date(1970, 1, 1)
LAST_DAY: Final = dt.date(9999, 12, 31)
LIFETIME_KEY: Final = "lifetime"

# Where a day begins first: no wall calendar is further ahead of UTC.
_EARLIEST_ZONE_MS: Final = 14 * 3_600_000


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` to `last`, both included."""

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidField("period", "must not end before it begins")
        if self.first < FIRST_DAY:
            raise InvalidField("period", "must not begin before 1970")

    @staticmethod
    def of_year(year: int) -> "Period":
        """A calendar year; raises InvalidField before 1970 or after 9999."""
        if not FIRST_DAY.year <= year <= LAST_DAY.year:
            raise InvalidField("period.year", "must be from 1970 to 9999")
        return Period(dt.date(year, 1, 1), dt.date(year, 12, 31))

    @staticmethod
    def of_dates(first_date: str, last_date: str) -> "Period":
        """Two dates "YYYY-MM-DD"; raises InvalidField for others, or in the wrong order."""
        first = _date("period.range.first_date", first_date)
        last = _date("period.range.last_date", last_date)
        if last < first:
            raise InvalidField("period.range.last_date", "must not be before first_date")
        return Period(first, last)

    @staticmethod
    def of_key(key: str) -> "Period":
        """The period of `key`; raises InvalidField."""
        if key == LIFETIME_KEY:
            return LIFETIME
        first, between, last = key.partition("..")
        if between:
            return Period.of_dates(first, last)
        if not (key.isascii() and key.isdigit() and len(key) == 4):
            raise InvalidField("period", f"is no period: {key[:32]!r}")
        return Period.of_year(int(key))

    @property
    def key(self) -> str:
        """Such as "2026", "2026-01-01..2026-03-31" or "lifetime"; one period has one key."""
        if self.is_lifetime:
            return LIFETIME_KEY
        year = self.first.year
        if (self.first, self.last) == (dt.date(year, 1, 1), dt.date(year, 12, 31)):
            return f"{year:04d}"
        return f"{self.first.isoformat()}..{self.last.isoformat()}"

    @property
    def is_lifetime(self) -> bool:
        """Whether it is all there is."""
        return (self.first, self.last) == (FIRST_DAY, LAST_DAY)

    @property
    def first_number(self) -> int:
        """Days from 1970-01-01 to the first day."""
        return (self.first - FIRST_DAY).days

    @property
    def last_number(self) -> int:
        """Days from 1970-01-01 to the last day."""
        return (self.last - FIRST_DAY).days

    def check_begun(self, now_ms: int) -> None:
        """Raise InvalidField when it has begun nowhere on earth at `now_ms`."""
        today = (now_ms + _EARLIEST_ZONE_MS) // DAY_MS
        if not self.is_lifetime and self.first_number > today:
            raise InvalidField("period", "must not be in the future")


LIFETIME: Final = Period(FIRST_DAY, LAST_DAY)


def _date(field: str, text: str) -> dt.date:
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        found = None
    # Python also takes other spellings of ISO 8601, and a period has one key.
    if found is None or found.isoformat() != text:
        raise InvalidField(field, f'must be a date "YYYY-MM-DD", is {text[:32]!r}')
    return found
