"""Channels to the other services: how long to try, how often, and what a failure means."""

import json
from typing import Final, TypeVar

import grpc.aio

from libs.serving.identity import Metadata
from libs.serving.limits import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES
from libs.serving.status import fault_of

# Every method may be tried again: reads change nothing, and writes carry ids that make the
# same write twice the same as once. The back-off of both retries fits in 0.3 s; throttling
# stops retries while more than about one call in ten fails.
_SERVICE_CONFIG: Final = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.2s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
)

_OPTIONS: Final = (
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
    ("grpc.max_send_message_length", MAX_REQUEST_BYTES),
    # A peer that was killed and started again is found within about a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),  # how long one attempt may take, not the wait
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A peer that is gone without a word is noticed within 40 s, also by an open stream.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


def open_channel(target: str, *, tls: grpc.ChannelCredentials | None = None) -> grpc.aio.Channel:
    """A channel to `target` (host:port); it connects on the first call and never gives up."""
    if tls is not None:
        return grpc.aio.secure_channel(target, tls, options=_OPTIONS)
    return grpc.aio.insecure_channel(target, options=_OPTIONS)


async def call(
    part: str,
    method: "grpc.aio.UnaryUnaryMultiCallable[RequestT, ResponseT]",
    request: RequestT,
    *,
    timeout_s: float,
    metadata: Metadata = (),
) -> ResponseT:
    """The answer of a unary method; a failure is raised as the fault that it means.

    `part` names the peer in PartUnavailable and DeadlineSpent, such as "candidates"; `metadata`
    says who calls it.
    Raises also BundleNotLoaded, NotFound, InvalidField and Overloaded.
    """
    try:
        return await method(request, timeout=timeout_s, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        raise fault_of(part, error) from error
