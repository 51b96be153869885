"""Callers who are nobody, or not who may: every method, over real servers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.protobuf import descriptor_pool
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]  # published without stubs

from libs.serving.authorization import ALLOWED
from libs.serving.identity import Metadata, Role
from tests.made_suite import Served, fill
from tests.made_tokens import CLAIMS, NOW_S, bearer, signed
from tests.reliability.made_guard import TIMEOUT_S, guarded_suite


def strangers(provider_key: rsa.RSAPrivateKey) -> Iterator[tuple[str, Metadata]]:
    """Metadata of callers who are not to be believed."""
    pem = provider_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    nobody = jwt.encode(dict(CLAIMS), "", algorithm="none")
    # PyJWT itself refuses to sign with a public key, so the raw bytes are signed as such.
    head, body, _ = signed().split(".")
    confused = jwt.api_jws.PyJWS(options={"enforce_minimum_key_length": False})
    tag = confused.get_algorithm_by_name("HS256").sign(f"{head}.{body}".encode(), pem)
    forged = f"{head}.{body}.{jwt.utils.base64url_encode(tag).decode()}"
    yield "nothing", ()
    yield "no bearer", (("authorization", "Basic dTpw"),)
    yield "empty", (("authorization", "Bearer "),)
    yield "two", (("authorization", f"Bearer {signed()}"),) * 2
    yield "alg none", (("authorization", f"Bearer {nobody}"),)
    yield "key confusion", (("authorization", f"Bearer {forged}"),)
    expired = signed({"exp": int(NOW_S) - 60})
    yield "expired", (("authorization", f"Bearer {expired}"),)
    early = signed({"nbf": int(NOW_S) + 60})
    yield "not yet", (("authorization", f"Bearer {early}"),)
    yield "audience", (("authorization", f"Bearer {signed({'aud': 'another'})}"),)
    yield "issuer", (("authorization", f"Bearer {signed({'iss': 'another'})}"),)


async def test_every_method_refuses_whoever_cannot_be_believed(
    tmp_path: Path, provider_key: rsa.RSAPrivateKey
) -> None:
    fill(tmp_path, "acme", "a-")
    async with guarded_suite(tmp_path, provider_key) as suite:
        for method in sorted(ALLOWED):
            if "reflection.v1." in method:
                continue  # not served yet
            for name, metadata in strangers(provider_key):
                error = await refusal(suite, method, metadata)
                assert error.code() is grpc.StatusCode.UNAUTHENTICATED, (method, name)
                assert info(error).reason == "ERROR_REASON_UNAUTHENTICATED"
            if method.startswith("/reprise."):
                for role in set(Role) - ALLOWED[method]:
                    error = await refusal(suite, method, bearer("acme", role))
                    assert error.code() is grpc.StatusCode.PERMISSION_DENIED, (method, role)
                    assert info(error).metadata["method"] == method


async def refusal(suite: Served, method: str, metadata: Metadata) -> grpc.aio.AioRpcError:
    """How a method ends that is called with empty bytes by such a caller."""
    channel = suite.ranking if "reflection" in method else suite.of(method)
    service, name = method[1:].split("/")
    described = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    kind = "_".join(
        "stream" if streams else "unary"
        for streams in (described.client_streaming, described.server_streaming)
    )
    call: Any = getattr(channel, kind)(method)
    sent = iter([b""]) if described.client_streaming else b""
    answer = call(sent, timeout=TIMEOUT_S, metadata=metadata)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await (answer.read() if described.server_streaming else answer)
    return caught.value


def info(error: grpc.aio.AioRpcError) -> Any:
    """The one ErrorInfo of a failure."""
    packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    [detail] = status_pb2.Status.FromString(packed).details
    found = error_details_pb2.ErrorInfo()
    assert detail.Unpack(found)
    assert found.domain == "reprise"
    assert json.dumps(dict(found.metadata))
    return found
