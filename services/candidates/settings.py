"""What the candidates service reads from the environment."""

from typing import Annotated

from pydantic import AfterValidator, Field

from libs.serving.settings import SuiteSettings, refuse_workers


class CandidatesSettings(SuiteSettings):
    """Those of the suite, and its own; each is read from REPRISE_<NAME>."""

    workers: Annotated[int, AfterValidator(refuse_workers)] = Field(default=1, ge=1)
    # How often bundles and counters are looked at.
    refresh_ms: int = Field(default=1_000, ge=10, le=60_000)
    # How many tenants' indexes are held in memory at once.
    most_tenants: int = Field(default=32, ge=1, le=10_000)
