"""Callers by their certificates: what names them, and over a real secured port."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from libs.faults import StartFault, Unauthenticated
from libs.serving.application import Application, Mounted, Readiness
from libs.serving.certificates import CertificateCallers, TlsFiles, read_named_callers
from libs.serving.channels import open_channel
from libs.serving.identity import Caller, Context, Role, tenant_of
from libs.serving.identity_settings import IdentityMode, IdentitySettings, open_identity
from libs.serving.server import running
from tests.made_certificates import Authority
from tests.made_tokens import SECRET

VIEWER = Caller("acme", frozenset({Role.VIEWER}), "named")
# A method of the table, served by something small.
METHOD = "/reprise.ranking.v1.RankingService/Recommend"


class Connection:
    """What gRPC tells of a connection's certificate."""

    def __init__(self, uris: Sequence[str] = (), names: Sequence[str] = ()) -> None:
        self._shown = {
            "peer_uri": [uri.encode() for uri in uris],
            "x509_common_name": [name.encode() for name in names],
        }

    def auth_context(self) -> dict[str, list[bytes]]:
        return {key: value for key, value in self._shown.items() if value}


def identify(callers: CertificateCallers, uris: Sequence[str] = (), *names: str) -> Caller:
    return callers.identify(cast("Context", Connection(uris, names)))


@pytest.mark.parametrize("role", list(Role))
def test_a_uri_says_tenant_and_role(role: Role) -> None:
    found = identify(CertificateCallers({}), [f"spiffe://a.b/tenant/acme/role/{role}"], "x")
    assert (found.tenant, found.roles) == ("acme", frozenset({role}))


def test_a_named_certificate_is_whom_the_file_says() -> None:
    callers = CertificateCallers({"app": VIEWER, "https://a/b": VIEWER})
    assert identify(callers, [], "app") is VIEWER
    assert identify(callers, ["https://other", "https://a/b"], "x") is VIEWER


@pytest.mark.parametrize(
    ("uris", "name"),
    [
        ([], ""),
        ([], "App"),
        (["spiffe://a/tenant/acme/role/admin"], "x"),
        (["spiffe://a/tenant/Acme/role/viewer"], "x"),
        (["spiffe://a/tenant/../role/viewer"], "x"),
        (["spiffe://a/tenant/acme/role/viewer/more"], "x"),
        (["https://a/tenant/acme/role/viewer"], "x"),
        (["xspiffe://a/tenant/acme/role/viewer"], "x"),
        (["spiffe://a/tenant/acme/role/viewer", "spiffe://a/tenant/bravo/role/viewer"], "x"),
    ],
)
def test_a_certificate_that_names_nobody_or_two_is_refused(uris: list[str], name: str) -> None:
    with pytest.raises(Unauthenticated):
        identify(CertificateCallers({"app": VIEWER}), uris, name)


def test_callers_are_read_from_a_file_or_it_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "callers.json"
    file.write_text(json.dumps({"app": {"tenant": "acme", "roles": ["viewer"]}}))
    assert read_named_callers(file)["app"].roles == {Role.VIEWER}
    for text in ("", "[]", '{"a": {}}', '{"a": {"tenant": "A", "roles": []}}', '{"a": 1}'):
        file.write_text(text)
        with pytest.raises(StartFault, match=r"callers\.json"):
            read_named_callers(file)


@asynccontextmanager
async def secured(settings: IdentitySettings) -> AsyncIterator[str]:
    """A server that answers METHOD with the length of the caller's tenant."""
    identity = open_identity(settings, name="ranking", host="127.0.0.1")

    async def answer(request: Timestamp, context: Any) -> Timestamp:
        return Timestamp(seconds=len(tenant_of(context)))

    def mount(server: grpc.aio.Server) -> None:
        service, method = METHOD[1:].split("/")
        read, write = Timestamp.FromString, Timestamp.SerializeToString
        handler = grpc.unary_unary_rpc_method_handler(answer, read, write)
        server.add_registered_method_handlers(service, {method: handler})

    async def build(readiness: Readiness) -> Application:
        return Application((Mounted("ranking", mount),), authorize=identity.authorize)

    async with running(build, tls=identity.server_tls) as server:
        yield f"127.0.0.1:{server.port}"


async def asked(
    target: str, files: TlsFiles | None, metadata: Any = (), *, timeout_s: float = 10
) -> int:
    tls = None if files is None else files.channel_credentials()
    async with open_channel(target, tls=tls) as channel:
        call: Any = channel.unary_unary(METHOD, Timestamp.SerializeToString, Timestamp.FromString)
        answer = await call(Timestamp(), timeout=timeout_s, metadata=metadata)
    return int(answer.seconds)


async def test_a_port_with_mutual_tls_knows_its_callers_and_lets_no_other_in(
    tmp_path: Path,
) -> None:
    authority, foreign = Authority.at(tmp_path / "ours"), Authority.at(tmp_path / "theirs")
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    own = authority.issue("ranking")
    settings = IdentitySettings(
        identity=IdentityMode.MTLS,
        jwt_secret_file=secret,
        tls_certificate_file=own.certificate,
        tls_key_file=own.key,
        tls_ca_file=own.authority,
    )
    uri = "spiffe://a/tenant/acme/role/viewer"
    async with secured(settings) as target:
        assert await asked(target, authority.issue("app", [uri])) == len("acme")
        service = open_identity(settings, name="events", host="127.0.0.1")
        forwarded = service.credentials.metadata("bravo-tenant")
        assert await asked(target, own, forwarded) == len("bravo-tenant")
        codes = []
        for files, metadata, timeout_s in (
            (authority.issue("nobody"), (), 10),
            (authority.issue("app2", [uri]), (("authorization", "Bearer x"),), 10),
            (foreign.issue("stranger", [uri]), (), 0.5),
            (None, (), 0.5),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await asked(target, files, metadata, timeout_s=timeout_s)
            codes.append(caught.value.code())
    assert codes[:2] == [grpc.StatusCode.UNAUTHENTICATED] * 2
    # These never get past the handshake: whether the client still tries is its own affair.
    assert set(codes[2:]) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def test_tls_needs_all_of_its_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    for settings in (
        IdentitySettings(identity=IdentityMode.MTLS, jwt_secret_file=secret),
        IdentitySettings(
            identity=IdentityMode.JWT, jwt_secret_file=secret, tls_key_file=tmp_path / "k"
        ),
    ):
        with pytest.raises(StartFault, match="REPRISE_TLS_CERTIFICATE_FILE"):
            open_identity(settings, name="events", host="0.0.0.0")
