"""How many calls a process has begun, and the refusal of one more."""

from libs.faults import Overloaded

# About as long as the calls under way need at their limit; clients add jitter of their own.
RETRY_AFTER_MS = 100


class Admission:
    """A count with a bound; belongs to one event loop."""

    __slots__ = ("_limit", "_most", "count")

    def __init__(self, limit: str, most: int) -> None:
        """`limit` names the bound to those who are refused, such as "calls in flight"."""
        self._limit = limit
        self._most = most
        self.count = 0

    def enter(self) -> None:
        """Count one more, to be left again; raises Overloaded at the bound and counts nothing."""
        if self.count >= self._most:
            raise Overloaded(self._limit, retry_after_ms=RETRY_AFTER_MS)
        self.count += 1

    def leave(self) -> None:
        """The call that entered has ended."""
        self.count -= 1
