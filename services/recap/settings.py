"""Settings of the recap service, from the environment."""

from pydantic import Field

from libs.serving.settings import SuiteSettings


class RecapSettings(SuiteSettings):
    """Those of the suite, and what only recap has; each is read from REPRISE_<NAME>."""

    # How many tenants' catalogues are held in memory at once.
    most_tenants: int = Field(default=32, ge=1, le=10_000)
