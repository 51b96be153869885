"""The keys of the feature store: the tenant first, and what changes together in one hash slot.

The version of the features' definitions is part of each: a release with others fills keys of its
own, beside those that the release before still reads.
"""

from typing import Final

from libs.features.schema import FEATURE_SCHEMA_VERSION

_PREFIX: Final = f"reprise:{FEATURE_SCHEMA_VERSION}"

# How far the log was followed: a hash of `xid`, `epoch`, `identity` and `ready`.
FOLLOWED: Final = f"{_PREFIX}:followed"

# Fields of a profile's hash; every other field is a title, behind TITLE.
EPOCH: Final = b"epoch"
APPLIED: Final = b"applied"
COUNTERS: Final = b"counters"
PROFILE: Final = b"profile"
TITLE: Final = b"t:"


def profile_key(tenant: str, profile_id: str) -> str:
    """The hash that a read of a profile takes: counters, title records, the stored profile."""
    return f"{_PREFIX}:profile:{{{tenant}:{profile_id}}}"


PROFILES: Final = f"{_PREFIX}:profile:*"


def watched_beside(profile_key: bytes) -> bytes:
    """The `watched_key` of the profile of a `profile_key`."""
    return profile_key.replace(b":profile:", b":watched:", 1)


def watched_key(tenant: str, profile_id: str) -> str:
    """The hash of the watched intervals of a profile's titles, which only writing needs."""
    return f"{_PREFIX}:watched:{{{tenant}:{profile_id}}}"


def titles_key(tenant: str) -> str:
    """The hash of a tenant's title counters."""
    return f"{_PREFIX}:titles:{{{tenant}}}"


def changes_key(tenant: str) -> str:
    """The sorted set of a tenant's title counters by the change that wrote them last."""
    return f"{_PREFIX}:changes:{{{tenant}}}"


def marker_key(tenant: str) -> str:
    """The hash of what a tenant's title counters hold: `epoch` and `applied`."""
    return f"{_PREFIX}:counted:{{{tenant}}}"


def title_field(country: str, title_id: str) -> bytes:
    """The field of a title's counters; neither part can hold the sign between them."""
    return f"{country}\0{title_id}".encode()


def title_of(field: bytes) -> tuple[str, str]:
    """The inverse of `title_field`."""
    country, _, title_id = field.decode().partition("\0")
    return country, title_id
