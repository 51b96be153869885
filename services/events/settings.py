"""Settings of the events service."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from libs.serving.settings import SuiteSettings, refuse_workers


class FollowerPlace(StrEnum):
    """Where the log is followed: beside the calls, or without a share in their core."""

    THREAD = "thread"
    PROCESS = "process"


class EventsSettings(SuiteSettings):
    """Those of the suite, and how writes are gathered into commits."""

    workers: Annotated[int, AfterValidator(refuse_workers)] = Field(default=1, ge=1)
    # A group commit answers all of its callers at once, and they all come back at once: with the
    # suite's 8 and 16, 50 callers had 70% refused and a third less written (2,700 of 4,100 events
    # a second). What waits here is bounded by the rows below.
    most_in_flight: int = Field(default=1_000, ge=1)
    most_pending: int = Field(default=256, ge=1)
    most_pending_hard: int = Field(default=512, ge=1)
    # Rows that may wait to be written before calls are refused.
    events_most_waiting: int = Field(default=50_000, ge=1)
    # How long a call may wait for others to share its fsync; 0 commits whatever waits.
    commit_delay_ms: int = Field(default=5, ge=0, le=1_000)
    # How often somebody trains: what receipts of erasures promise.
    training_interval_hours: float = Field(default=24, gt=0, le=24 * 366)
    # A profile whose features nobody wrote for so long leaves Redis, and comes back from the log
    # with its next event.
    features_ttl_days: int = Field(default=400, ge=1, le=36_500)
    # Past one machine: who brings the features up to the log takes a core at full load.
    follower: FollowerPlace = FollowerPlace.THREAD
