"""Clients of the feature store, by URL; "redis+cluster" and "rediss+cluster" are of a cluster."""

from typing import Any, Final, TypeAlias

import redis
import redis.asyncio
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

Client: TypeAlias = redis.Redis | RedisCluster
AsyncClient: TypeAlias = redis.asyncio.Redis | AsyncRedisCluster

_CLUSTER: Final = "+cluster"
_CONNECT_S: Final = 1.0


def open_client(url: str, *, timeout_s: float) -> Client:
    """A client for threads; connects when it is first used, that of a cluster at once.

    Raises ValueError for a URL that is none, and of a cluster that does not answer.
    """
    # One more try: a connection may have died since it was used last.
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": _CONNECT_S,
        "retry": Retry(NoBackoff(), 1),
    }
    if _CLUSTER in url:
        try:
            return RedisCluster.from_url(url.replace(_CLUSTER, "", 1), **options)
        except redis.RedisError as error:
            raise ValueError(" ".join(str(error).split())) from error
    return redis.Redis.from_url(url, **options)


def close_client(client: Client) -> None:
    """Close all connections: by itself the client of a cluster leaves those of its nodes open."""
    if isinstance(client, RedisCluster):
        client.disconnect_connection_pools()  # type: ignore[no-untyped-call]
    client.close()


def open_async_client(url: str) -> AsyncClient:
    """A client for one event loop, whose callers set their own time limits."""
    options: dict[str, Any] = {
        "socket_connect_timeout": _CONNECT_S,
        "retry": Retry(NoBackoff(), 1),
    }
    if _CLUSTER in url:
        return AsyncRedisCluster.from_url(url.replace(_CLUSTER, "", 1), **options)
    return redis.asyncio.Redis.from_url(url, **options)


def run_ids(client: Client) -> str:
    """Names the processes that hold the data: another name, and some of it may be lost."""
    if not isinstance(client, RedisCluster):
        return str(client.info("server")["run_id"])
    primaries: list[ClusterNode] = client.get_primaries()  # type: ignore[no-untyped-call]
    found = [client.info("server", target_nodes=node) for node in primaries]
    return ",".join(sorted(str(server["run_id"]) for server in found))
