"""Settings of the events service."""

from pydantic import Field

from libs.serving.settings import SuiteSettings


class EventsSettings(SuiteSettings):
    """Those of the suite, and how many rows may wait to be written before calls are refused."""

    events_most_waiting: int = Field(default=50_000, ge=1)
