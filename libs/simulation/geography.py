"""Where viewers live and titles come from: countries, their languages and their time zones."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Country:
    """One market; shares are of profiles and of titles."""

    code: str
    languages: tuple[str, ...]
    time_zones: tuple[str, ...]
    viewer_share: float
    title_share: float


COUNTRIES: Final = (
    Country(
        "US",
        ("en", "es"),
        ("America/New_York", "America/Chicago", "America/Los_Angeles"),
        0.28,
        0.30,
    ),
    Country("GB", ("en",), ("Europe/London",), 0.13, 0.14),
    Country("DE", ("de", "en"), ("Europe/Berlin",), 0.13, 0.09),
    Country("FR", ("fr", "en"), ("Europe/Paris",), 0.10, 0.10),
    Country("ES", ("es", "en"), ("Europe/Madrid",), 0.08, 0.07),
    Country("BR", ("pt", "es"), ("America/Sao_Paulo",), 0.09, 0.05),
    Country("MX", ("es", "en"), ("America/Mexico_City",), 0.06, 0.04),
    Country("JP", ("ja",), ("Asia/Tokyo",), 0.06, 0.10),
    Country("KR", ("ko", "en"), ("Asia/Seoul",), 0.03, 0.06),
    Country("IN", ("hi", "en"), ("Asia/Kolkata",), 0.04, 0.05),
)

# Where nobody begins, but where those who move may go: daylight saving in the southern summer,
# half and quarter hours, a change by half an hour (Lord Howe).
DESTINATIONS: Final = (
    Country(
        "AU", ("en",), ("Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe"), 0.0, 0.0
    ),
    Country("NZ", ("en",), ("Pacific/Auckland",), 0.0, 0.0),
    Country("CL", ("es",), ("America/Santiago",), 0.0, 0.0),
    Country("NP", ("ne",), ("Asia/Kathmandu",), 0.0, 0.0),
    Country("CA", ("en", "fr"), ("America/St_Johns",), 0.0, 0.0),
)

PLACES: Final = (*COUNTRIES, *DESTINATIONS)
COUNTRY_ROW: Final = {country.code: row for row, country in enumerate(PLACES)}
