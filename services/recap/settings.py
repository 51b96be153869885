"""Settings of the recap service, from the environment."""

from typing import Self

from pydantic import Field, model_validator

from libs.serving.settings import SuiteSettings


class RecapSettings(SuiteSettings):
    """Those of the suite, and what only recap has; each is read from REPRISE_<NAME>."""

    # How many tenants' catalogues are held in memory at once.
    most_tenants: int = Field(default=32, ge=1, le=10_000)
    # Of how many series the beats are held in memory; some 0.5 MB each where they are many.
    most_series: int = Field(default=256, ge=1, le=100_000)

    @model_validator(mode="after")
    def _check_workers(self) -> Self:
        if self.workers > 1 and not self.recap_url.get_secret_value():
            raise ValueError("REPRISE_WORKERS must be 1 where recap writes a file of its own")
        return self
