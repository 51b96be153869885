"""Whose turn it is: tenants that wait are served side by side, and none of them for long."""

from collections.abc import Sequence


class Turns:
    """At most `most_at_once` tenants have a turn, each one at a time, the longest unserved first.

    After a failure a tenant rests, from `rest_s` doubling up to `most_rest_s`; nobody else does.
    """

    def __init__(self, *, most_at_once: int, rest_s: float, most_rest_s: float) -> None:
        self._most_at_once = most_at_once
        self._rest_s = rest_s
        self._most_rest_s = most_rest_s
        self._served = 0
        # By tenant: which turn it had last, and how often it has failed since a turn went well.
        self._last: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._running: set[str] = set()
        self._resting: set[str] = set()

    def begin(self, waiting: Sequence[str]) -> list[str]:
        """The tenants of those `waiting`, the longest first, whose turn begins now."""
        # Who waits for nothing is as good as new.
        self._last = {one: self._last[one] for one in waiting if one in self._last}
        self._failures = {one: self._failures[one] for one in waiting if one in self._failures}
        may = [one for one in waiting if one not in self._running | self._resting]
        may.sort(key=lambda one: self._last.get(one, 0))
        begun = may[: self._most_at_once - len(self._running)]
        for tenant in begun:
            self._served += 1
            self._last[tenant] = self._served
            self._running.add(tenant)
        return begun

    def end(self, tenant: str) -> None:
        """The turn went well."""
        self._running.discard(tenant)
        self._failures.pop(tenant, None)

    def fail(self, tenant: str) -> tuple[float, bool]:
        """The turn failed: how long to rest until `rested`, in s, and whether it is the first."""
        self._running.discard(tenant)
        self._resting.add(tenant)
        before = self._failures.get(tenant, 0)
        self._failures[tenant] = before + 1
        # No power of two beyond what a rest can be: failures may go on for days.
        return min(self._rest_s * 2 ** min(before, 16), self._most_rest_s), before == 0

    def rested(self, tenant: str) -> None:
        """It may have a turn again."""
        self._resting.discard(tenant)
