"""The limit that a service is measured against: plain grpc.aio answering the same bytes.

`python -m benchmarks.echo_server SIZE` prints its port and answers every call of
/benchmarks.Echo/Call with SIZE bytes; no interceptor, no health, nothing else.
"""

import sys

import grpc
import grpc.aio
import uvloop


async def serve(size: int) -> None:
    """Serve until killed."""
    answer = bytes(size)

    async def call(request: bytes, context: object) -> bytes:
        return answer

    server = grpc.aio.server()
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(call)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("benchmarks.Echo", {"Call": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
