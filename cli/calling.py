"""Channels of the command line to the services, with the identity that the services ask for."""

import time
from dataclasses import dataclass
from typing import Any, Final

import grpc
from pydantic import SecretStr

from cli.suite import target
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.serving.identity import Caller, Metadata, Role
from libs.serving.identity_settings import (
    IdentityMode,
    IdentitySettings,
    tls_files,
    token_rules,
)
from libs.serving.settings import SuiteSettings, read_settings
from libs.serving.token_keys import read_secrets
from libs.serving.tokens import AUTHORIZATION, mint

# A command that runs longer mints or is given a token of its own.
LIFETIME_S: Final = 12 * 3600


class CallingSettings(IdentitySettings):
    """Who commands are; each is read from REPRISE_<NAME>."""

    # A token to show; empty means one minted by the services' secret, where it can be read.
    token: SecretStr = SecretStr("")
    # Whom a minted token is for.
    tenant: str = DEFAULT_TENANT


def open_channel(settings: SuiteSettings, name: str) -> grpc.Channel:
    """A channel to a service of the suite; raises StartFault where there is no identity to show."""
    calling = read_settings(CallingSettings)
    where, tls = target(settings, name), tls_files(calling)
    if tls is None:
        channel = grpc.insecure_channel(where)
    else:
        channel = grpc.secure_channel(where, tls.channel_credentials())
    metadata = authorization(calling)
    return grpc.intercept_channel(channel, _Showing(metadata)) if metadata else channel


def authorization(settings: CallingSettings) -> Metadata:
    """What commands show: REPRISE_TOKEN, or an operator's token minted by the shared secret.

    Nothing in development mode, where nobody asks.
    """
    if settings.token.get_secret_value():
        return ((AUTHORIZATION, f"Bearer {settings.token.get_secret_value()}"),)
    if settings.identity is IdentityMode.DEVELOPMENT:
        return ()
    if settings.jwt_secret_file is None:
        raise StartFault(
            "the services ask who calls: set REPRISE_TOKEN, or REPRISE_JWT_SECRET_FILE to mint one"
        )
    caller = Caller(
        settings.tenant, frozenset({Role.OPERATOR, Role.VIEWER, Role.SERVICE}), "reprise"
    )
    token = mint(
        read_secrets(settings.jwt_secret_file)[0],
        token_rules(settings),
        caller,
        now_s=time.time(),
        lifetime_s=LIFETIME_S,
    )
    return ((AUTHORIZATION, f"Bearer {token}"),)


@dataclass(frozen=True, slots=True)
class _Details(grpc.ClientCallDetails):
    """As the caller gave them, with more metadata."""

    method: str
    timeout: float | None
    metadata: Any
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class _Showing(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Sends the same metadata with every call."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = tuple(metadata)

    def _with(self, details: grpc.ClientCallDetails) -> _Details:
        return _Details(
            method=details.method,
            timeout=details.timeout,
            metadata=(*(details.metadata or ()), *self._metadata),
            credentials=details.credentials,
            wait_for_ready=details.wait_for_ready,
            compression=details.compression,
        )

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Send it with the metadata."""
        return continuation(self._with(details), request)

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        """Send it with the metadata."""
        return continuation(self._with(details), request)

    def intercept_stream_unary(self, continuation: Any, details: Any, requests: Any) -> Any:
        """Send them with the metadata."""
        return continuation(self._with(details), requests)

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        """Send them with the metadata."""
        return continuation(self._with(details), requests)
