"""The writing side of the feature store in Redis: each profile changes in one step or not at all.

A profile's features and the mark of how much of the log is in them change in one script on one
hash slot, so that whoever goes over a part of the log again adds nothing twice. A mark is a number
of a transaction: all below it are in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from libs.features.title_table import TitleChanges
from libs.storage.redis.client import Client, run_ids
from libs.storage.redis.feature_reader import changes_of
from libs.storage.redis.keys import (
    APPLIED,
    COUNTERS,
    EPOCH,
    FOLLOWED,
    PROFILES,
    TITLE,
    changes_key,
    marker_key,
    profile_key,
    title_field,
    titles_key,
    watched_beside,
    watched_key,
)

# The mark of what is written over whatever is there.
ANY: Final = -1
# The mark of what is not there.
ABSENT: Final = 0

# KEYS: the profile's hash, its watched intervals.
# ARGV: epoch, the mark expected, the new mark, TTL in ms, how many fields of the first hash follow
# (name, value, …); the rest are of the second. Returns 1, or 0 when another one has been there.
_WRITE_PROFILE: Final = """
local held = redis.call('HMGET', KEYS[1], 'epoch', 'applied')
if held[1] and tonumber(held[1]) > tonumber(ARGV[1]) then return 0 end
if ARGV[2] == '-1' then
  redis.call('DEL', KEYS[1], KEYS[2])
elseif (held[2] or '0') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'applied', ARGV[3])
local split = 5 + tonumber(ARGV[5])
for i = 6, split, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = split + 1, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
"""

# KEYS: the counters' hash, the set of changes, the mark. ARGV: epoch, the mark expected, the new
# mark, which is the change too; then (field, value, …).
_WRITE_TITLES: Final = """
local held = redis.call('HMGET', KEYS[3], 'epoch', 'applied')
if held[1] and tonumber(held[1]) > tonumber(ARGV[1]) then return 0 end
if ARGV[2] == '-1' then
  redis.call('DEL', KEYS[1], KEYS[2])
elseif (held[2] or '0') ~= ARGV[2] then return 0 end
for i = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[i])
end
redis.call('HSET', KEYS[3], 'epoch', ARGV[1], 'applied', ARGV[3])
return 1
"""


_SCANNED: Final = 1_000

# KEYS: how far the log was followed. ARGV: the number, and for whom it was noted before.
_ADVANCE: Final = """
if redis.call('HGET', KEYS[1], 'identity') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'xid', ARGV[1])
return 1
"""


class Superseded(Exception):
    """Another one follows the log, or has written what was to be written."""


@dataclass(frozen=True, slots=True)
class Followed:
    """How far the log was followed, in which database, into which processes of Redis."""

    xid: int
    identity: str
    is_ready: bool


@dataclass(frozen=True, slots=True)
class HeldProfile:
    """What a profile's hash has of the titles that were asked for; `applied` 0 for no hash."""

    applied: int
    counters: bytes
    titles: Mapping[str, tuple[bytes, bytes]]  # record and watched intervals by title


@dataclass(slots=True)
class ProfileWrite:
    """What is to become of a profile's hash."""

    tenant: str
    profile_id: str
    expected: int  # the mark that was read, ABSENT, or ANY
    applied: int
    fields: dict[bytes, bytes] = field(default_factory=dict)
    watched: dict[str, bytes] = field(default_factory=dict)


class FeatureWriter:
    """Writes as the follower `epoch`; every method raises redis.RedisError or OSError."""

    def __init__(self, client: Client, *, epoch: int, ttl_ms: int) -> None:
        self._client = client
        self._epoch = epoch
        self._ttl_ms = ttl_ms

    def run_ids(self) -> str:
        """Names the processes that hold the data."""
        return run_ids(self._client)

    def followed(self) -> Followed | None:
        """How far the log was followed; None when nobody knows."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(FOLLOWED))
        if b"xid" not in found:
            return None
        return Followed(
            int(found[b"xid"]), found[b"identity"].decode(), found.get(b"ready") == b"1"
        )

    def note_followed(self, xid: int, identity: str, *, is_ready: bool) -> None:
        """Note anew how far the log was followed; readers wait until it `is_ready`."""
        self._client.hset(
            FOLLOWED, mapping={"xid": xid, "identity": identity, "ready": int(is_ready)}
        )

    def advance(self, xid: int, identity: str) -> None:
        """Note that the log was followed to there; Superseded if what was noted is gone."""
        if not self._client.eval(_ADVANCE, 1, FOLLOWED, str(xid), identity):
            raise Superseded

    def read(self, tenant: str, wanted: Mapping[str, Sequence[str]]) -> dict[str, HeldProfile]:
        """What is held of profiles, and of the titles wanted of each."""
        pipeline = self._client.pipeline(transaction=False)
        for profile_id, title_ids in wanted.items():
            names = [TITLE + title_id.encode() for title_id in title_ids]
            pipeline.hmget(profile_key(tenant, profile_id), [APPLIED, COUNTERS, *names])
            # Redis wants one field at the least.
            pipeline.hmget(watched_key(tenant, profile_id), [*title_ids, ""])
        answers = pipeline.execute()
        found: dict[str, HeldProfile] = {}
        for (profile_id, title_ids), own, watched in zip(
            wanted.items(), answers[::2], answers[1::2], strict=True
        ):
            titles = {
                title_id: (record, edges or b"")
                for title_id, record, edges in zip(title_ids, own[2:], watched, strict=False)
                if record is not None
            }
            found[profile_id] = HeldProfile(int(own[0] or ABSENT), own[1] or b"", titles)
        return found

    def write(self, writes: Iterable[ProfileWrite]) -> None:
        """Write profiles; raises Superseded when another one has written one of them."""
        pipeline = self._client.pipeline(transaction=False)
        for write in writes:
            own = [part for pair in write.fields.items() for part in pair]
            watched = [part for pair in write.watched.items() for part in pair]
            # Not `eval`, which the pipelines of clusters do not have.
            pipeline.execute_command(
                "EVAL",
                _WRITE_PROFILE,
                2,
                profile_key(write.tenant, write.profile_id),
                watched_key(write.tenant, write.profile_id),
                *_arguments(self._epoch, write.expected, write.applied, self._ttl_ms, len(own)),
                *own,
                *watched,
            )
        if not all(pipeline.execute()):
            raise Superseded

    def sweep(self) -> None:
        """Delete the profiles that a predecessor has left: who writes all anew has none of them.

        A Redis that comes back from a copy of itself holds who was erased after it was made.
        """
        keys: list[bytes] = []
        for key in self._client.scan_iter(PROFILES, count=_SCANNED):
            keys.append(key)
            if len(keys) == _SCANNED:
                self._sweep(keys)
                keys = []
        self._sweep(keys)

    def _sweep(self, keys: Sequence[bytes]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            pipeline.hget(key, EPOCH)
        for key, epoch in zip(keys, pipeline.execute(), strict=True):
            if int(epoch or 0) < self._epoch:
                self._client.delete(key, watched_beside(key))

    def read_titles(self, tenant: str) -> tuple[int, TitleChanges]:
        """The mark of a tenant's title counters, and all of them."""
        applied = int(self._client.hget(marker_key(tenant), "applied") or ABSENT)
        found = cast("dict[bytes, bytes]", self._client.hgetall(titles_key(tenant)))
        return applied, changes_of(list(found), list(found.values()), applied)

    def write_titles(
        self, tenant: str, expected: int, applied: int, rows: Iterable[tuple[str, str, bytes]]
    ) -> None:
        """Write counters by (country, title id); raises Superseded when another one has."""
        pairs: list[bytes] = []
        for country, title_id, data in rows:
            pairs += title_field(country, title_id), data
        is_written = self._client.eval(
            _WRITE_TITLES,
            3,
            titles_key(tenant),
            changes_key(tenant),
            marker_key(tenant),
            *_arguments(self._epoch, expected, applied),
            *pairs,
        )
        if not is_written:
            raise Superseded


def _arguments(*numbers: int) -> list[Any]:
    return [str(number) for number in numbers]
