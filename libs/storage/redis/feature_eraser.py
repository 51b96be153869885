"""Erasing a profile's features from Redis, from its memory and from what it has on disk."""

from typing import Any, Final

import redis
from redis.cluster import RedisCluster

from libs.storage.redis.client import Client, close_client
from libs.storage.redis.keys import FOLLOWED, profile_key, watched_key

_UNDER_WAY: Final = "in progress"


class FeatureEraser:
    """Erases what nobody writes any more; every method raises redis.RedisError or OSError."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._nodes: dict[str, Any] = (
            {"target_nodes": RedisCluster.ALL_NODES} if isinstance(client, RedisCluster) else {}
        )

    def close(self) -> None:
        """Close all connections."""
        close_client(self._client)

    def followed_xid(self) -> int:
        """Below which number the log is in the features; 0 while they are made anew."""
        is_ready, xid = self._client.hmget(FOLLOWED, ["ready", "xid"])
        return int(xid) if is_ready == b"1" and xid is not None else 0

    def erase(self, tenant: str, profile_id: str) -> int:
        """Delete a profile's keys; how many there were."""
        own = profile_key(tenant, profile_id), watched_key(tenant, profile_id)
        return int(self._client.delete(*own))

    def rewrite_files(self) -> bool:
        """Have append-only file and snapshot written anew where Redis keeps them.

        False where that has to be tried again because it is being done already. Servers that let
        nobody ask for it do it by their own rules.
        """
        run: Any = self._client.execute_command
        try:
            found = self._client.info("persistence", **self._nodes)
            nodes = found.values() if self._nodes else [found]
            has_saved = any(node["rdb_last_bgsave_time_sec"] >= 0 for node in nodes)
            if has_saved or any(self._client.config_get("save").values()):
                run("BGSAVE", "SCHEDULE", **self._nodes)
            # One after the other; of the two, this one waits by itself.
            if any(node["aof_enabled"] for node in nodes):
                run("BGREWRITEAOF", **self._nodes)
        except redis.ResponseError as error:
            return _UNDER_WAY not in str(error)
        return True
