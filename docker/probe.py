"""Asks a health port whether a service is SERVING; the exit code is the answer.

`python probe.py 127.0.0.1:7442 [SERVICE]`; without a service's full name the process is meant.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_S = 3.0


def main(target: str, service: str = "") -> int:
    """0 when serving, 1 when not, or when nobody answers in time."""
    with grpc.insecure_channel(target) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT_S
            )
        except grpc.RpcError as error:
            sys.stderr.write(f"{target}: {error.code().name}\n")
            return 1
    status = health_pb2.HealthCheckResponse.ServingStatus
    return 0 if answer.status == status.SERVING else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
