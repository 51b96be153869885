"""Which identities a service believes and shows, from the environment."""

import ipaddress
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import grpc
import structlog
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.faults import StartFault
from libs.serving.authorization import Gate, Identify
from libs.serving.certificates import CertificateCallers, TlsFiles, read_named_callers
from libs.serving.identity import (
    EVERYBODY,
    NO_CREDENTIALS,
    Authorize,
    Caller,
    Context,
    Credentials,
)
from libs.serving.token_keys import TokenKey, read_public_keys, read_secrets
from libs.serving.tokens import ServiceTokens, TokenRules, TokenVerifier, has_bearer

WARNING: Final = (
    "DEVELOPMENT IDENTITY: nobody is asked who they are; every caller is tenant"
    f" {EVERYBODY.tenant!r} with every role (REPRISE_IDENTITY=jwt asks for tokens)"
)


class IdentityMode(StrEnum):
    """How callers are identified."""

    DEVELOPMENT = "development"
    JWT = "jwt"
    MTLS = "mtls"


class IdentitySettings(BaseSettings):
    """Settings of identity; each is read from REPRISE_<NAME>. Secrets are files, never values."""

    model_config = SettingsConfigDict(env_prefix="REPRISE_", frozen=True)

    identity: IdentityMode = IdentityMode.DEVELOPMENT
    # What the services share: one secret a line, the first signs, all are believed.
    jwt_secret_file: Path | None = None
    # Public keys of an identity provider, for tokens of viewers' apps and operators.
    jwt_jwks_file: Path | None = None
    jwt_issuer: str = Field(default="reprise", min_length=1)
    jwt_audience: str = Field(default="reprise", min_length=1)
    jwt_leeway_s: float = Field(default=30, ge=0, le=600)
    # TLS on every port for calls, and between the services; PEM, all three or none.
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_ca_file: Path | None = None
    # Callers by the names of their certificates, where the URI does not say tenant and role.
    certificate_callers_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What a composition root needs: who is let in, and what to show others."""

    authorize: Authorize
    credentials: Credentials
    # How ports and channels are secured; None is in the clear.
    server_tls: grpc.ServerCredentials | None = None
    channel_tls: grpc.ChannelCredentials | None = None


def open_identity(settings: IdentitySettings, *, name: str, host: str) -> Identity:
    """The identity of the service `name` that listens on `host`, said in the log.

    Raises StartFault for development mode where others than this machine can call, and for keys
    that cannot be used.
    """
    log = structlog.get_logger()
    if settings.identity is IdentityMode.DEVELOPMENT:
        check_loopback(host)
        log.warning(WARNING)
        return Identity(Gate(_development).authorize, NO_CREDENTIALS)
    is_mutual = settings.identity is IdentityMode.MTLS
    tls = tls_files(settings)
    identify: Identify = _verifier(settings).identify
    if is_mutual:
        identify = _by_token_or(_certificates(settings).identify, identify)
    log.info("identity", **settings.model_dump(mode="json"))
    return Identity(
        Gate(identify).authorize,
        service_tokens(settings, name),
        server_tls=None if tls is None else tls.server_credentials(asks_clients=is_mutual),
        channel_tls=None if tls is None else tls.channel_credentials(),
    )


def check_loopback(host: str) -> None:
    """Raise StartFault unless only this machine can reach what listens on `host`."""
    if not _is_loopback(host):
        raise StartFault(
            f"REPRISE_HOST={host} can be reached by others, and REPRISE_IDENTITY=development lets"
            " everybody in; set REPRISE_IDENTITY=jwt and REPRISE_JWT_SECRET_FILE, or listen on"
            " 127.0.0.1"
        )


def token_rules(settings: IdentitySettings) -> TokenRules:
    """What every token must say."""
    return TokenRules(settings.jwt_issuer, settings.jwt_audience, settings.jwt_leeway_s)


def service_tokens(settings: IdentitySettings, name: str) -> ServiceTokens:
    """The tokens that the service shows others; raises StartFault without the shared secret."""
    return ServiceTokens(name, _secrets(settings)[0], token_rules(settings), time.time)


def tls_files(settings: IdentitySettings) -> TlsFiles | None:
    """The files of TLS, None without; raises StartFault unless all three are named."""
    files = (settings.tls_certificate_file, settings.tls_key_file, settings.tls_ca_file)
    certificate, key, authority = files
    if certificate is not None and key is not None and authority is not None:
        return TlsFiles(certificate, key, authority)
    if any(file is not None for file in files) or settings.identity is IdentityMode.MTLS:
        raise StartFault(
            "TLS needs REPRISE_TLS_CERTIFICATE_FILE, REPRISE_TLS_KEY_FILE and REPRISE_TLS_CA_FILE"
        )
    return None


def _certificates(settings: IdentitySettings) -> CertificateCallers:
    file = settings.certificate_callers_file
    return CertificateCallers({} if file is None else read_named_callers(file))


def _by_token_or(by_certificate: Identify, by_token: Identify) -> Identify:
    """A token counts where there is one, good or bad: so the services speak for any tenant."""

    def identify(context: Context) -> Caller:
        return by_token(context) if has_bearer(context) else by_certificate(context)

    return identify


def _development(context: Context) -> Caller:
    return EVERYBODY


def _verifier(settings: IdentitySettings) -> TokenVerifier:
    keys = list(_secrets(settings))
    if settings.jwt_jwks_file is not None:
        keys.extend(read_public_keys(settings.jwt_jwks_file))
    return TokenVerifier(keys, token_rules(settings), time.time)


def _secrets(settings: IdentitySettings) -> tuple[TokenKey, ...]:
    if settings.jwt_secret_file is None:
        raise StartFault(
            f"REPRISE_IDENTITY={settings.identity} needs REPRISE_JWT_SECRET_FILE: the services"
            " know each other by a secret that they share"
        )
    return read_secrets(settings.jwt_secret_file)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
