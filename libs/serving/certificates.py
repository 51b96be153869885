"""Callers by the certificates of their connections, and the files that TLS is set up with."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from libs.faults import InvalidField, StartFault, Unauthenticated
from libs.serving.identity import Caller, Context, Role

# A certificate's URI that says it all: spiffe://any.trust.domain/tenant/acme/role/viewer.
# Whose certificates are believed at all is up to the authority that clients are checked by.
_URI: Final = re.compile(r"spiffe://[^/]+/tenant/([^/]+)/role/([^/]+)")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the process's own certificate and key, and the authority of its peers."""

    certificate: Path
    key: Path
    authority: Path

    def server_credentials(self, *, asks_clients: bool) -> grpc.ServerCredentials:
        """For a port that, if it `asks_clients`, lets in only who shows a certificate.

        Raises StartFault for a file that cannot be read.
        """
        pair = (_read(self.key), _read(self.certificate))
        return grpc.ssl_server_credentials([pair], _read(self.authority), asks_clients)

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """For channels that show the certificate; raises StartFault as above."""
        return grpc.ssl_channel_credentials(
            _read(self.authority), _read(self.key), _read(self.certificate)
        )


class CertificateCallers:
    """Tells the caller of a connection; `named` is by the URIs and common names of certificates."""

    def __init__(self, named: Mapping[str, Caller]) -> None:
        self._named = dict(named)

    def identify(self, context: Context) -> Caller:
        """The caller by the certificate that the connection was made with.

        A URI that is named, or says tenant and role, counts before the common name. Raises
        Unauthenticated for a certificate that names nobody, or more than one caller.
        """
        shown = context.auth_context()
        uris = [uri.decode("utf-8", "replace") for uri in shown.get("peer_uri", ())]
        found = {caller for uri in uris if (caller := self._of_uri(uri)) is not None}
        if not found:
            names = [name.decode("utf-8", "replace") for name in shown.get("x509_common_name", ())]
            found = {self._named[name] for name in names if name in self._named}
        if len(found) != 1:
            raise Unauthenticated(
                "the certificate names more than one caller" if found else "no known certificate"
            )
        return found.pop()

    def _of_uri(self, uri: str) -> Caller | None:
        if uri in self._named:
            return self._named[uri]
        match = _URI.fullmatch(uri)
        if match is None:
            return None
        try:
            return Caller(match[1], frozenset({Role(match[2])}), uri[:128])
        except (InvalidField, ValueError):
            return None


def read_named_callers(file: Path) -> dict[str, Caller]:
    """The callers of a JSON file: {"name or URI": {"tenant": "acme", "roles": ["viewer"]}}.

    Raises StartFault for one that says anything else.
    """
    try:
        return {
            name: Caller(said["tenant"], frozenset(map(Role, said["roles"])), name)
            for name, said in json.loads(_read(file)).items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, InvalidField) as error:
        raise StartFault(f"{file} does not map certificates to callers: {error}") from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartFault(f"cannot read {file}: {error.strerror}") from None
