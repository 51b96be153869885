"""The echo of echo_server behind the harness: the same bytes, as a service of ours would answer.

`python -m benchmarks.harness_server SIZE` prints its port.
"""

import asyncio
import sys

import grpc
import grpc.aio
import uvloop

from libs.serving.application import Application, Mounted, Readiness
from libs.serving.identity import as_everybody
from libs.serving.server import running
from libs.serving.settings import SuiteSettings
from libs.telemetry.traces import Tracing

NAME = "benchmarks.Echo"


async def serve(size: int) -> None:
    """Serve until killed."""
    answer = bytes(size)

    async def call(request: bytes, context: object) -> bytes:
        return answer

    def mount(server: grpc.aio.Server) -> None:
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(call)
        server.add_registered_method_handlers(NAME, {"Call": handler})

    async def build(readiness: Readiness) -> Application:
        return Application((Mounted(NAME, mount),), authorize=as_everybody)

    async with running(build, tracing=Tracing(SuiteSettings().trace_ratio)) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
