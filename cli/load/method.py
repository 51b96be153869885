"""Learns from a server by reflection what a method takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import grpc
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from libs.faults import StartFault


@dataclass(frozen=True, slots=True)
class Method:
    """A method and the contracts (a serialized FileDescriptorSet) that its request needs."""

    service: str
    name: str
    input_type: str
    is_client_streaming: bool
    is_server_streaming: bool
    files: bytes

    @property
    def path(self) -> str:
        """What gRPC calls it."""
        return f"/{self.service}/{self.name}"

    def request_class(self) -> type[Message]:
        """The class of its request."""
        pool = DescriptorPool()
        for file in FileDescriptorSet.FromString(self.files).file:
            pool.Add(file)
        return GetMessageClass(pool.FindMessageTypeByName(self.input_type))


def split_call(call: str) -> tuple[str, str]:
    """(service, method) of "package.Service/Method" or "package.Service.Method"."""
    service, _, name = call.strip("/").replace("/", ".").rpartition(".")
    if not service or not name:
        raise StartFault(f"{call!r} is no method; write package.Service/Method")
    return service, name


def find_method(
    channel: grpc.Channel, call: str, *, metadata: tuple[tuple[str, str], ...] = ()
) -> Method:
    """The method that the server behind `channel` describes.

    Raises StartFault when it has no such method, and grpc.RpcError when it does not answer.
    """
    service_name, name = split_call(call)
    pool = DescriptorPool(
        ProtoReflectionDescriptorDatabase(grpc.intercept_channel(channel, _WithMetadata(metadata)))
    )
    try:
        service = pool.FindServiceByName(service_name)
    except KeyError:
        raise StartFault(f"the server describes no service {service_name}") from None
    method = service.methods_by_name.get(name)
    if method is None:
        known = ", ".join(sorted(service.methods_by_name))
        raise StartFault(f"{service_name} has no method {name}; there are: {known}")
    return Method(
        service=service_name,
        name=name,
        input_type=method.input_type.full_name,
        is_client_streaming=method.client_streaming,
        is_server_streaming=method.server_streaming,
        files=_files(method.input_type.file),
    )


def known_method(call: str, request: type[Message]) -> Method:
    """A unary method that needs no reflection, since its request's class is here."""
    service, name = split_call(call)
    return Method(
        service=service,
        name=name,
        input_type=request.DESCRIPTOR.full_name,
        is_client_streaming=False,
        is_server_streaming=False,
        # The stubs name two classes for the one thing.
        files=_files(cast("FileDescriptor", request.DESCRIPTOR.file)),
    )


def _files(file: FileDescriptor) -> bytes:
    files: dict[str, FileDescriptorProto] = {}
    _collect(file, files)
    return FileDescriptorSet(file=files.values()).SerializeToString()


def _collect(file: FileDescriptor, files: dict[str, FileDescriptorProto]) -> None:
    """Add the file to `files` after all that it imports."""
    if file.name in files:
        return
    for imported in file.dependencies:
        _collect(imported, files)
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    files[file.name] = proto


class _Details(NamedTuple):
    """What an interceptor may change of a call."""

    method: str
    timeout: float | None
    metadata: tuple[tuple[str, str], ...]
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class _WithMetadata(grpc.StreamStreamClientInterceptor):
    """Reflection is a method like any other: it is asked with the caller's identity."""

    def __init__(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata

    def intercept_stream_stream(
        self, continuation: Callable[..., Any], client_call_details: Any, request_iterator: Any
    ) -> Any:
        """Continue with the metadata, and with a deadline: reflection is quick or broken."""
        details = _Details(
            client_call_details.method,
            10.0,
            self._metadata,
            client_call_details.credentials,
            client_call_details.wait_for_ready,
            client_call_details.compression,
        )
        return continuation(details, request_iterator)
