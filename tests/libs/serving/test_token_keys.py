"""Keys that a service starts with, and those that it refuses to."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from libs.faults import StartFault
from libs.serving.token_keys import read_public_keys, read_secrets


def test_the_first_secret_signs_and_all_are_believed(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"n" * 32 + b"\n\n" + b"o" * 40 + b"\r\n")
    assert [key.material for key in read_secrets(file)] == [b"n" * 32, b"o" * 40]


@pytest.mark.parametrize("text", [b"", b"\n", b"too-short", b"n" * 32 + b"\nshort"])
def test_a_secret_that_can_be_guessed_is_refused_without_telling_it(
    tmp_path: Path, text: bytes
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(text)
    with pytest.raises(StartFault, match="secret") as caught:
        read_secrets(file)
    assert "short" not in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    for read in (read_secrets, read_public_keys):
        with pytest.raises(StartFault, match="No such file"):
            read(tmp_path / "nothing")


def public(key: Any, **changes: object) -> dict[str, Any]:
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), **changes}


def test_a_key_set_that_is_not_safe_is_refused(tmp_path: Path) -> None:
    good = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  it is to be refused
    other_curve = ec.generate_private_key(ec.SECP384R1())
    sets: list[object] = [
        "no json",
        {},
        {"keys": []},
        {"keys": 3},
        {"keys": [{}]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        {"keys": [public(good, alg="HS256")]},
        {"keys": [public(good, alg="none")]},
        {"keys": [public(good, n="")]},
        {"keys": [public(weak)]},
        {"keys": [public(other_curve)]},
        {"keys": [RSAAlgorithm.to_jwk(good, as_dict=True)]},
    ]
    file = tmp_path / "keys.json"
    for keys in sets:
        file.write_text(keys if isinstance(keys, str) else json.dumps(keys))
        with pytest.raises(StartFault, match=r"keys\.json"):
            read_public_keys(file)
    file.write_text(json.dumps({"keys": [public(good)]}))
    assert [key.algorithm for key in read_public_keys(file)] == ["RS256"]
