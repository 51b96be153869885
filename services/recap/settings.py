"""Settings of the recap service, from the environment."""

from pydantic import Field

from libs.serving.settings import SuiteSettings


class RecapSettings(SuiteSettings):
    """Those of the suite, and what only recap has; each is read from REPRISE_<NAME>."""

    # How many tenants' catalogues are held in memory at once.
    most_tenants: int = Field(default=32, ge=1, le=10_000)
    # Of how many series the beats are held in memory; some 0.5 MB each where they are many.
    most_series: int = Field(default=256, ge=1, le=100_000)
