"""Settings of the ranking service, from the environment."""

from pydantic import Field

from libs.serving.settings import SuiteSettings


class RankingSettings(SuiteSettings):
    """Those of the suite, and what only ranking has; each is read from REPRISE_<NAME>."""

    # Decisions kept while the events service is away; at 1 kB each the default is some 20 MB.
    decision_capacity: int = Field(default=20_000, ge=1, le=10_000_000)
    decision_linger_ms: int = Field(default=50, ge=0, le=60_000)
    decision_retry_ms: int = Field(default=250, ge=1, le=60_000)
    # How often bundles, catalogue and counters are looked at.
    refresh_ms: int = Field(default=1_000, ge=10, le=60_000)
    # How many tenants' bundles and catalogues are held in memory at once.
    most_tenants: int = Field(default=32, ge=1, le=10_000)
