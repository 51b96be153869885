"""Certificates of a small authority, good for a day."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from libs.serving.certificates import TlsFiles

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Signs certificates and writes them, with their keys, into a folder."""

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @staticmethod
    def at(folder: Path) -> "Authority":
        folder.mkdir(parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("authority")
        certificate = (
            _builder(name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        (folder / "ca.pem").write_bytes(_pem(certificate))
        return Authority(folder, certificate, key)

    def issue(self, common_name: str, uris: Sequence[str] = ()) -> TlsFiles:
        """A certificate for 127.0.0.1 and the URIs."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        names.extend(x509.UniformResourceIdentifier(uri) for uri in uris)
        certificate = (
            _builder(_name(common_name), self.certificate.subject, key)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        files = TlsFiles(
            certificate=self.folder / f"{common_name}.pem",
            key=self.folder / f"{common_name}.key",
            authority=self.folder / "ca.pem",
        )
        files.certificate.write_bytes(_pem(certificate))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
