"""How large a message may be, how much may be under way at once, and for how long."""

from dataclasses import dataclass
from typing import Final

# Requests are small; answers of counters as of a past time hold every title.
MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
MAX_RESPONSE_BYTES: Final = 64 * 1024 * 1024

# A caller that names no deadline waits this long at most.
DEFAULT_DEADLINE_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process takes on before it refuses.

    `most_pending` and `most_pending_hard` bound the calls that gRPC holds before the event loop
    has looked at them: between the two some are refused, beyond the second all are, without any
    Python. `most_in_flight` and `most_streams` bound those that a handler has begun.
    """

    most_in_flight: int = 64
    most_streams: int = 1_000
    most_pending: int = 8
    most_pending_hard: int = 16
    default_deadline_ms: int = DEFAULT_DEADLINE_MS
    # A client that takes none of a stream's messages for so long has gone away.
    send_ms: int = 30_000

    def __post_init__(self) -> None:
        if self.most_pending > self.most_pending_hard:
            raise ValueError("most_pending must not be above most_pending_hard")
