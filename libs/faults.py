"""The project's own failures; each is a type that holds its facts.

Nothing here knows gRPC: `libs.serving` derives the status code and the error
details from `reason` and `metadata` at the edge.
"""

from collections.abc import Iterable
from typing import ClassVar


class Fault(Exception):
    """A failure that a caller can be told about; `reason` is the name of an ErrorReason."""

    reason: ClassVar[str]

    def __init__(self, text: str, **metadata: str) -> None:
        super().__init__(text)
        self.metadata = metadata


class InvalidField(Fault):
    """A value that is not acceptable; `field` is its path in the request."""

    reason = "INVALID_FIELD"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}", field=field, problem=problem)
        self.field = field
        self.problem = problem

    def within(self, prefix: str) -> "InvalidField":
        """The same fault one level further out, such as "events[3]"."""
        return InvalidField(f"{prefix}.{self.field}" if self.field else prefix, self.problem)


class NotFound(Fault):
    """Something that was named does not exist."""

    reason = "NOT_FOUND"

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"no {kind} {id!r}", kind=kind, id=id)


class PartUnavailable(Fault):
    """A part that this call cannot do without is not there now."""

    reason = "PART_UNAVAILABLE"

    def __init__(self, part: str, cause: str) -> None:
        super().__init__(f"{part} is not available: {cause}", part=part, cause=cause)


class BundleNotLoaded(Fault):
    """The bundle asked for is not loaded here; `loaded` is newest first."""

    reason = "BUNDLE_NOT_LOADED"

    def __init__(self, wanted: str, loaded: tuple[str, ...]) -> None:
        super().__init__(
            f"bundle {wanted!r} is not loaded; loaded: {', '.join(loaded) or 'none'}",
            wanted=wanted,
            loaded=",".join(loaded),
        )
        self.loaded = loaded


class HistoryCompacted(Fault):
    """What was known at a past time is not told any more; times are Unix ms."""

    reason = "HISTORY_COMPACTED"

    def __init__(self, as_of_ms: int, compacted_until_ms: int) -> None:
        super().__init__(
            f"as_of {as_of_ms} is before {compacted_until_ms}, up to which events are compacted",
            as_of_ms=str(as_of_ms),
            compacted_until_ms=str(compacted_until_ms),
        )


class Overloaded(Fault):
    """Refused to protect the calls already under way."""

    reason = "OVERLOADED"

    def __init__(self, limit: str, *, retry_after_ms: int) -> None:
        super().__init__(f"overloaded: {limit}; retry after {retry_after_ms} ms", limit=limit)
        self.retry_after_ms = retry_after_ms


class BatchTooLarge(Fault):
    """More items in one call than a call may hold; trying again does not help."""

    reason = "BATCH_TOO_LARGE"

    def __init__(self, field: str, *, most: int, given: int) -> None:
        super().__init__(
            f"{field}: at most {most} in one call, are {given}",
            field=field,
            most=str(most),
            given=str(given),
        )


class ConsentMissing(Fault):
    """The profile has not allowed it; `consent` is the name of a Consent."""

    reason = "CONSENT_MISSING"

    def __init__(self, consent: str) -> None:
        super().__init__(f"the profile has not given its consent: {consent}", consent=consent)


class PreviewChanged(Fault):
    """What would be made is no longer what was seen."""

    reason = "PREVIEW_CHANGED"

    def __init__(self) -> None:
        super().__init__("what was previewed has changed; preview it again")


class Unauthenticated(Fault):
    """Nobody knows who is calling; `problem` never repeats what was presented."""

    reason = "UNAUTHENTICATED"

    def __init__(self, problem: str) -> None:
        super().__init__(f"not authenticated: {problem}", problem=problem)
        self.problem = problem


class PermissionDenied(Fault):
    """The caller is known and may not call this method; `roles` are those that may."""

    reason = "PERMISSION_DENIED"

    def __init__(self, method: str, roles: Iterable[str]) -> None:
        needed = ",".join(sorted(roles))
        super().__init__(
            f"not allowed: {method} needs {needed or 'a role that nobody has'}",
            method=method,
            roles=needed,
        )


class DeadlineSpent(Fault):
    """The caller's time was over before the answer."""

    reason = "DEADLINE"

    def __init__(self, part: str) -> None:
        super().__init__(f"deadline spent in {part}", part=part)


class StartFault(Exception):
    """A service or command cannot start; the text is one line for the person who started it."""
