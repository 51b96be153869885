"""Settings of the events service."""

from typing import Annotated

from pydantic import AfterValidator, Field

from libs.serving.settings import SuiteSettings, refuse_workers


class EventsSettings(SuiteSettings):
    """Those of the suite, and how many rows may wait to be written before calls are refused."""

    workers: Annotated[int, AfterValidator(refuse_workers)] = Field(default=1, ge=1)
    events_most_waiting: int = Field(default=50_000, ge=1)
