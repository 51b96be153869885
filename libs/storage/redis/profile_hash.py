"""A profile as fields of a Redis hash."""

import json
from collections.abc import Mapping
from typing import Final

from libs.domain.profile import Profile
from libs.features.profile_state import ProfileState, decode_state
from libs.storage.profile_json import profile_of, profile_values
from libs.storage.redis.keys import COUNTERS, PROFILE, TITLE

_NO_PROFILE: Final = b""


def decode_hash(fields: Mapping[bytes, bytes]) -> tuple[Profile | None, ProfileState]:
    """The stored profile, if there is one, and the features of a whole hash."""
    skipped = len(TITLE)
    titles = sorted([field for field in fields if field.startswith(TITLE)])
    state = decode_state(
        [field[skipped:].decode() for field in titles],
        b"".join([fields[field] for field in titles]),
        fields.get(COUNTERS, b""),
    )
    return decode_profile(fields.get(PROFILE, _NO_PROFILE)), state


def encode_profile(profile: Profile | None) -> bytes:
    """The stored profile as JSON; empty for none."""
    if profile is None:
        return _NO_PROFILE
    return json.dumps([profile.profile_id, *profile_values(profile)]).encode()


def decode_profile(data: bytes) -> Profile | None:
    """The inverse of `encode_profile`."""
    if not data:
        return None
    profile_id, *values = json.loads(data)
    return profile_of(profile_id, values)
